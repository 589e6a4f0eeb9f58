USE m1
;;
SET sql_mode=''
;;
INSERT INTO sd(v) VALUES(8)
;;
INSERT INTO ty(id,a,b) VALUES(UUID(),'::2','9.9.9.9')
;;
UPDATE ty SET c=UUID() WHERE c IS NULL
;;
UPDATE aria SET t=UPPER(t)
;;
DELETE FROM aria WHERE id=2
;;
DELETE FROM uca WHERE id='b'
;;
UPDATE y2 SET z=2100
