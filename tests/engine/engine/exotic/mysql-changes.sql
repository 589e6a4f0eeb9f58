USE y1
;;
SET sql_mode=''
;;
UPDATE vec SET v=TO_VECTOR('[4,5,6]') WHERE id=1
;;
INSERT INTO vec VALUES(4,TO_VECTOR('[-0.0,1e-30,3e30]'),NULL)
;;
UPDATE fidx SET a=UPPER(a),j='{"x":[5,6,7]}' WHERE id=1
;;
INSERT INTO fidx VALUES(4,'zz',NULL)
;;
DELETE FROM fidx WHERE id=2
;;
UPDATE inv SET a=a+1
;;
INSERT INTO inv(id,b) VALUES(5,5)
;;
INSERT INTO gipk VALUES(2,'q')
;;
UPDATE gipk SET b='w' LIMIT 1
;;
DELETE FROM gipk WHERE a IS NULL
;;
UPDATE nochk SET a=-5
;;
UPDATE srid SET g=ST_GeomFromText('POINT(1 2)',4326)
;;
UPDATE coll9 SET id='Ä' WHERE id='ä'
;;
UPDATE coll9 SET a='a  ' WHERE a='a'
;;
DELETE FROM coll9 WHERE id='a '
;;
UPDATE jsdef SET j=JSON_SET(j,'$.b','new','$.a',7) WHERE id=2
;;
SET binlog_row_value_options='PARTIAL_JSON'
;;
UPDATE jsb SET j=JSON_SET(j,'$.t',CAST('11:11:11' AS TIME),'$.dec',CAST(2.5 AS DECIMAL(5,2))) WHERE id=1
;;
UPDATE jsb SET j=JSON_ARRAY_APPEND(j,'$',CAST('2021-01-01 00:00:00.5' AS DATETIME(1))) WHERE id=2
;;
SET binlog_row_value_options=''
;;
SET binlog_row_image='MINIMAL'
;;
SET binlog_row_image='FULL'
;;
UPDATE idk SET b=b+1 ORDER BY b DESC
;;
UPDATE pkey1 SET id=id+10
;;
INSERT INTO defx(a) VALUES(3)
;;
UPDATE ftp SET t='库据'
;;
UPDATE gen2 SET a=7
