USE `x-2 y.z`
;;
SET sql_mode='NO_AUTO_VALUE_ON_ZERO'
;;
INSERT INTO `select` VALUES(3,'y`',5,6,7,8,9)
;;
UPDATE `select` SET `where ``x```='zz', `from`=10 WHERE `from`=1
;;
DELETE FROM `select` WHERE `from`=2
;;
INSERT INTO `UPPER Case` VALUES(2,2)
;;
UPDATE `UPPER Case` SET Val=3
;;
INSERT INTO `a``b'c"d$e.f` VALUES(2,'y')
;;
UPDATE `a``b'c"d$e.f` SET v='q' WHERE id=1
;;
INSERT INTO `数据表` VALUES(2,'键€')
;;
UPDATE `数据表` SET `值`='😀😀'
;;
UPDATE `t234567890123456789012345678901234567890123456789012345678901234` SET `d234567890123456789012345678901234567890123456789012345678901234`=5
;;
UPDATE `1e5` SET `3a`=7
;;
UPDATE colls SET id='b' WHERE id='a'
;;
INSERT INTO colls VALUES('a','q','zz','q')
;;
DELETE FROM colls WHERE id='A1'
;;
UPDATE gen SET a=a+10 ORDER BY a DESC
;;
UPDATE gen SET b='zz' WHERE id=1
;;
INSERT INTO gen(id,a,b) VALUES(4,100,'q')
;;
DELETE FROM gen WHERE id=2
;;
INSERT INTO ai1(g,v) VALUES(1,5)
;;
UPDATE ai1 SET n=n+5 ORDER BY n DESC
;;
INSERT INTO ai2(v) VALUES(4)
;;
INSERT INTO ai3(v) VALUES(9)
;;
UPDATE ai3 SET id=1 WHERE id=0
;;
UPDATE ai3 SET id=0 WHERE id=-100
;;
INSERT INTO myi(g,t) VALUES(1,'q')
;;
UPDATE myi SET t='zz'
;;
INSERT INTO mem VALUES(5,'x')
;;
INSERT INTO csvt VALUES(3,'q')
;;
UPDATE comp SET v='y'
;;
UPDATE redu SET v='q'
;;
UPDATE pr SET d='2022-02-02' WHERE id=1
;;
INSERT INTO pl VALUES(2,2)
;;
UPDATE ph SET id=id+4 ORDER BY id DESC
;;
UPDATE pk SET id='zz' WHERE id='a'
;;
UPDATE psub SET y=50 WHERE id=1
;;
UPDATE prt SET t='2023-01-01' WHERE id=1
;;
UPDATE plc SET a='b',b=2 WHERE a='a'
;;
UPDATE chk SET c='q'
;;
INSERT INTO def(id) VALUES(2)
;;
UPDATE def SET a=9 WHERE id=1
;;
UPDATE wide3072 SET id=REPEAT('é',768) WHERE id='b'
;;
UPDATE wide3072 SET v=NULL WHERE v<>'c'
;;
UPDATE ft SET t='again'
;;
UPDATE sp SET g=ST_GeomFromText('POINT(5 5)')
;;
UPDATE pfx SET t='x',id='b'
;;
INSERT INTO pfx VALUES('c',NULL,NULL)
;;
UPDATE uniqn SET c='q' WHERE a=1 AND b=2
;;
UPDATE uniqn SET b=77 WHERE a=1 AND b IS NULL LIMIT 1
;;
DELETE FROM uniqn WHERE a IS NULL
;;
INSERT INTO uniqn VALUES(NULL,1,'p'),(NULL,1,'p')
;;
UPDATE uk2 SET b='B' WHERE a=1 AND b='b'
;;
UPDATE uk2 SET c=6 WHERE c=5
;;
DELETE FROM uk2 WHERE b='a' AND a=1
;;
UPDATE descpk SET a=a+10 ORDER BY a DESC
;;
DELETE FROM bigpk WHERE a=0
;;
UPDATE bigpk SET d=2.5
;;
UPDATE enumpk SET a='c',t='-02:00:00.25' WHERE a='b'
;;
DELETE FROM enumpk WHERE y=0
;;
INSERT INTO enumpk VALUES('b','y','838:59:59',2155,1000,5)
;;
DELETE FROM p WHERE id=2
;;
UPDATE p SET k='newk', id=100 WHERE id=1
;;
INSERT INTO c1 VALUES(10,100,'newk')
;;
DELETE FROM selfr WHERE id=2
;;
INSERT INTO selfr VALUES(5,1),(6,5)
;;
UPDATE cyc1 SET o=NULL
;;
DELETE FROM cyc2
;;
INSERT INTO cyc2 VALUES(9,1)
;;
UPDATE x1.child SET id=77 WHERE id=1
;;
INSERT INTO x1.child VALUES(3,3)
;;
DELETE FROM p WHERE id=3
