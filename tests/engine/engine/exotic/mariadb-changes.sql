USE m1
;;
SET sql_mode=''
;;
INSERT INTO sd(v) VALUES(7)
;;
INSERT INTO sd() VALUES()
;;
UPDATE sd SET v=v+1
;;
INSERT INTO ty(id,a,b,c,t,bb,i,j) SELECT UUID(),a,b,id,t,bb,i,j FROM ty
;;
UPDATE ty SET a='fe80::1',t=REPEAT('z',50),j='{"a":1,"a":2}' WHERE b='0.0.0.0'
;;
DELETE FROM ty WHERE b='255.255.255.255' LIMIT 1
;;
UPDATE sv SET v=9
;;
INSERT INTO sv VALUES(7,7,7)
;;
DELETE FROM sv WHERE id=1
;;
UPDATE sv2 SET v=10
;;
DELETE FROM sv2 WHERE id=1
;;
UPDATE svp SET v=5
;;
INSERT INTO ap VALUES(2,'2020-01-01','2020-03-01')
;;
UPDATE ap SET e='2020-05-01' WHERE s='2020-01-01' AND id=1
;;
UPDATE ap2 FOR PORTION OF app FROM '2020-02-01' TO '2020-03-01' SET v=9
;;
DELETE FROM ap2 FOR PORTION OF app FROM '2020-08-01' TO '2020-09-01'
;;
UPDATE aria SET t='q'
;;
INSERT INTO aria VALUES(2,'w')
;;
UPDATE hashu SET t='new' WHERE id=1
;;
INSERT INTO hashu VALUES(4,'AAA','x')
;;
UPDATE uca SET id='ä ' WHERE id='ä'
;;
UPDATE uca SET b='a  ' WHERE b='a'
;;
UPDATE y2 SET y=y+1
;;
INSERT INTO y2 VALUES(4,99,1999)
;;
UPDATE notjson SET j='{}', k='[' WHERE id=1
;;
UPDATE svh SET t='x' WHERE id=1
;;
UPDATE svh SET t='a', l='d' WHERE id=2
;;
DELETE FROM svh WHERE id=1
;;
INSERT INTO svh VALUES(9,'x',REPEAT('l',1999))
;;
UPDATE ap3 SET e='2020-01-15' WHERE room=1 AND v=1
;;
UPDATE ap3 SET s='2020-01-15' WHERE room=1 AND v=2
;;
UPDATE ap3 SET e='2020-01-10' WHERE room=1 AND v=1
;;
INSERT INTO ap3 VALUES(1,9,'2020-01-10','2020-01-15')
;;
UPDATE ap3 FOR PORTION OF app FROM '2020-03-01' TO '2020-04-01' SET room=1, v=4 WHERE room=2
;;
DELETE FROM ap3 WHERE v=2
;;
DELETE FROM fksp WHERE a=2
