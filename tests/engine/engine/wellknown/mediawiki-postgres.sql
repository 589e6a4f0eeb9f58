-- In the shape of MediaWiki on PostgreSQL: a schema and a text search column of its own, an enum,
-- sequences that belong to no column, deferrable foreign keys.
CREATE SCHEMA mediawiki;
CREATE TYPE mediawiki.media_type AS ENUM ('UNKNOWN', 'BITMAP', 'DRAWING', 'AUDIO', 'VIDEO');
CREATE SEQUENCE mediawiki.user_user_id_seq MINVALUE 0 START WITH 0;
CREATE TABLE mediawiki.mwuser (user_id integer NOT NULL PRIMARY KEY DEFAULT nextval('mediawiki.user_user_id_seq'), user_name text NOT NULL UNIQUE, user_touched timestamptz NOT NULL DEFAULT now());
CREATE TABLE mediawiki.page (page_id serial NOT NULL PRIMARY KEY, page_namespace integer NOT NULL, page_title text NOT NULL, page_random double precision NOT NULL DEFAULT random(), titlevector tsvector);
CREATE UNIQUE INDEX page_name_title ON mediawiki.page (page_namespace, page_title);
CREATE INDEX page_main_title ON mediawiki.page (page_title text_pattern_ops) WHERE page_namespace = 0;
CREATE INDEX ts2_page_title ON mediawiki.page USING gin (titlevector);
CREATE TABLE mediawiki.revision (rev_id serial PRIMARY KEY, rev_page integer REFERENCES mediawiki.page (page_id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, rev_user integer REFERENCES mediawiki.mwuser (user_id) ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED, rev_timestamp timestamptz NOT NULL DEFAULT now());
CREATE TABLE mediawiki.image (img_name text PRIMARY KEY, img_size integer NOT NULL, img_media_type mediawiki.media_type, img_metadata bytea NOT NULL DEFAULT '');
CREATE TABLE mediawiki.categorylinks (cl_from integer NOT NULL DEFAULT 0, cl_to text NOT NULL DEFAULT '', cl_type text NOT NULL DEFAULT 'page', PRIMARY KEY (cl_from, cl_to));
INSERT INTO mediawiki.mwuser (user_name) VALUES ('Anonymous');
