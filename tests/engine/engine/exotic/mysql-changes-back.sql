USE y1
;;
SET sql_mode=''
;;
UPDATE vec SET w=NULL
;;
UPDATE fidx SET a=CONCAT(a,'x') WHERE id<3
;;
UPDATE inv SET b=b+1
;;
INSERT INTO gipk VALUES(3,'e')
;;
UPDATE coll9 SET b='zz'
;;
UPDATE jsdef SET gv=DEFAULT, j='{"a":9}' WHERE id=1
;;
UPDATE jsb SET j=JSON_REMOVE(j,'$.b') WHERE id=1
;;
UPDATE idk SET a=NULL
;;
DELETE FROM pkey1 WHERE id=11
;;
UPDATE srid SET p=ST_GeomFromText('POINT(7 7)',0)
