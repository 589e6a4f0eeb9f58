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
UPDATE aria SET t='q'
;;
INSERT INTO aria VALUES(2,'w')
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
