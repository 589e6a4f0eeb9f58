USE x1
;;
SET sql_mode='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'
;;
SET time_zone='+00:00'
;;
CREATE TEMPORARY TABLE tids(t VARCHAR(64))
;;
INSERT INTO ints SELECT id-3000,a,b,c,d,e,f,g,h,i,j,k,l,m FROM ints
;;
INSERT INTO decs SELECT id+1000,a,b,c,d,e,f,g FROM decs
;;
UPDATE decs SET a=-a,g=b WHERE id=1
;;
DELETE FROM decs WHERE id=2
;;
INSERT INTO fls SELECT id+1000,a,b,c,d,e,f,g FROM fls
;;
UPDATE fls SET b=a WHERE id IN(1,2,6)
;;
UPDATE fls SET a=b WHERE id=7
;;
INSERT INTO bits SELECT id+1000,a,b,c,d,e FROM bits
;;
UPDATE bits SET d=~d WHERE id=2
;;
INSERT INTO temps SELECT id+1000,a,b,c,d,e,f,g,h,i,j,k FROM temps
;;
UPDATE temps t, temps u SET t.a=u.a,t.b=u.b,t.c=u.c,t.d=u.d,t.e=u.e,t.f=u.f,t.h=u.h WHERE t.id=1 AND u.id=3
;;
DELETE FROM temps WHERE id=2
;;
INSERT INTO enums SELECT id+1000,a,b,c,d,e,f FROM enums
;;
UPDATE enums SET a='bad',b='bad' WHERE id=1
;;
UPDATE enums SET c='a,c d' WHERE id=2
;;
UPDATE enums SET id=50 WHERE id=3
;;
DELETE FROM enums WHERE id=6
;;
DELETE FROM enums WHERE a=0 AND id=102
;;
INSERT INTO txt SELECT id+1000,a,b,c,d,e,f,g,h,i,j,k,l FROM txt
;;
UPDATE txt SET d=REVERSE(d), e='y', j=e WHERE id=4
;;
UPDATE txt SET b='trail' WHERE id=1
;;
UPDATE txt SET b='TRAIL ' WHERE id=1
;;
INSERT INTO cs SELECT id+1000,l1,u3,u2,u16,u16l,u32,gbk,sj,b5,c32,asc1,b,l2,cp1,koi,euc,tis,swe FROM cs
;;
UPDATE cs SET l1=CONCAT(l1,'x'), gbk=CONCAT(gbk,'x') WHERE id=1
;;
INSERT INTO geo SELECT id+1000,g,p,l,po,mp,ml,mpo,gc FROM geo
;;
UPDATE geo SET g=l WHERE id=1
;;
DELETE FROM geo WHERE id=2
;;
INSERT INTO js SELECT id+1000,j,k FROM js
;;
UPDATE js SET j=JSON_SET(j,'$.a',2.5,'$.new','x') WHERE id IN(1,6)
;;
UPDATE js SET j=k, k='[1,2,3]' WHERE id=7
;;
DELETE FROM js WHERE id=2
;;
UPDATE js SET j=JSON_REPLACE(j,'$.b',NULL) WHERE id=6
;;
INSERT INTO emptyt VALUES(2,1)
;;
INSERT INTO onlykey VALUES(7)
;;
DELETE FROM onlykey WHERE id=-1
;;
UPDATE keylessj SET n=7 WHERE n=5
;;
DELETE FROM keylessj WHERE n=3
;;
UPDATE keylessj SET j=JSON_SET(j,'$.new','y'), k=NULL WHERE n=6
;;
DELETE FROM keylessj WHERE n=4
