USE `k``1'"`
;;
SET sql_mode='ALLOW_INVALID_DATES', foreign_key_checks=1
;;
UPDATE sj SET k=_sjis x'835C' WHERE v=5
;;
UPDATE sj SET g=_gbk x'BF5C5C' WHERE v=3
;;
UPDATE u2 SET k=CONCAT(k,'x') ORDER BY v DESC
;;
UPDATE binc SET k='ab' WHERE k='A'
;;
UPDATE zk SET ts='2001-01-01 01:01:02', dt='2020-00-10 01:02:03.455' WHERE v=2
;;
UPDATE mix SET s='x y,b' WHERE v='5'
;;
UPDATE nopk SET c=CONCAT(c,'!')
;;
BEGIN
;;
UPDATE swaps SET a=NULL,b=NULL,c=NULL WHERE id=2
;;
UPDATE swaps SET a=1,b=1,c='A' WHERE id=3
;;
UPDATE swaps SET a=2,b=2,c='b' WHERE id=2
;;
COMMIT
;;
DELETE FROM swaps WHERE id=6
;;
INSERT INTO swaps VALUES(7,3,3,'c')
;;
UPDATE k2.top SET code='eins' WHERE id=1
;;
DELETE FROM k2.top WHERE id=4
;;
UPDATE middle SET n=n+20 WHERE id=1
;;
UPDATE `t.a``b'"\\` SET `c.d``e'"\\`=9
;;
UPDATE zeros SET b=x'00' WHERE id=1
;;
UPDATE genu SET a='w' WHERE id=1
;;
DELETE FROM genu WHERE id=2
