USE `k``1'"`
;;
SET sql_mode='ALLOW_INVALID_DATES', foreign_key_checks=1
;;
UPDATE sj SET k=_sjis x'83418342' WHERE v=4
;;
DELETE FROM sj WHERE k=_sjis x'835C'
;;
UPDATE sj SET g=_gbk x'815C27', b=_big5 x'A55C5C' WHERE v=2
;;
INSERT INTO sj VALUES(_sjis x'835C5C','x',NULL,5)
;;
UPDATE u2 SET k=CONCAT(k,'é'), u=REVERSE(CONCAT(u,'ñ')) ORDER BY v
;;
DELETE FROM u2 WHERE l='A'
;;
UPDATE binc SET k='B' WHERE k='A'
;;
UPDATE binc SET k='A' WHERE k='a'
;;
DELETE FROM binc WHERE k='😀'
;;
INSERT INTO binc VALUES('b','x',3),('a','X ',4)
;;
UPDATE zk SET d='0000-00-01' WHERE v=1
;;
UPDATE zk SET t='00:00:00.00', y=0 WHERE v=2
;;
DELETE FROM zk WHERE v=3
;;
UPDATE mix SET b=b'1000000' WHERE v='2'
;;
UPDATE mix SET e='', s='a,b' WHERE v='3'
;;
DELETE FROM mix WHERE vb=' '
;;
INSERT INTO mix VALUES('0','',b'0',-9999999.999,x'ffffff','5')
;;
UPDATE nopk SET a=a+10, b=IF(b IS NULL,NULL,b+10)
;;
DELETE FROM nopk WHERE c='y'
;;
INSERT INTO nopk VALUES(1,NULL,'x')
;;
BEGIN
;;
UPDATE swaps SET a=100,b=100,c='zz' WHERE id=1
;;
UPDATE swaps SET a=1,b=1,c='a' WHERE id=2
;;
UPDATE swaps SET a=2,b=2,c='B' WHERE id=3
;;
UPDATE swaps SET a=3,b=3,c='C' WHERE id=1
;;
COMMIT
;;
UPDATE swaps SET id=6 WHERE id=1
;;
UPDATE swaps SET id=1, b=5 WHERE id=5
;;
UPDATE swaps SET c='e' WHERE id=4
;;
UPDATE swaps SET c='x' WHERE id=1
;;
UPDATE k2.top SET code='uno' WHERE id=1
;;
UPDATE k2.top SET code='one' WHERE id=2
;;
DELETE FROM k2.top WHERE id=3
;;
UPDATE middle SET n=7 WHERE id=1 AND n=1
;;
DELETE FROM k2.low WHERE x=1
;;
DELETE FROM k2.top WHERE code='one'
;;
UPDATE `t.a``b'"\\` SET `select`=`select`+5
;;
DELETE FROM `t.a``b'"\\` WHERE `c.d``e'"\\`=0
;;
UPDATE zeros SET b=CONCAT(b,x'00') WHERE id=1
;;
UPDATE zeros SET t=CONCAT(t,'\r') WHERE id=3
;;
UPDATE genu SET a='z' WHERE id=1
;;
UPDATE genu SET a='x' WHERE id=2
;;
UPDATE many SET c228=1.25, c2='2020-01-01', c229=NULL WHERE id=1
;;
UPDATE many SET id=3 WHERE id=2
