#pragma once

/// The client library's types by name, for headers: libmariadb and libmysqlclient call the structs
/// differently, and mysql.h itself stays inside the sources of this folder.
#if __has_include(<mariadb_version.h>)
typedef struct st_mysql MYSQL;         // NOLINT: as mysql.h declares it
typedef struct st_mysql_res MYSQL_RES; // NOLINT
#else
struct MYSQL;
struct MYSQL_RES;
#endif
