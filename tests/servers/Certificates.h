#pragma once

#include <QFile>
#include <QProcess>
#include <QStringList>
#include <QTemporaryDir>

#include <initializer_list>

namespace causeway::test {

/// A CA, a server certificate for db.test and 127.0.0.1, a client certificate; made by openssl.
class Certificates {
public:
    Certificates()
    {
        authority("ca");
        authority("other-ca");
        leaf("server", "subjectAltName=DNS:db.test,IP:127.0.0.1");
        leaf("client", "extendedKeyUsage=clientAuth");
        run({"pkey", "-in", "client-key.pem", "-aes256", "-passout", "pass:phrase", "-out",
             "locked-key.pem"});
    }
    [[nodiscard]] QString path(const char *name) const
    {
        return m_dir.filePath(QString::fromLatin1(name));
    }

    /// For a server of the MySQL family.
    [[nodiscard]] QStringList serverSettings() const
    {
        return {QStringLiteral("--ssl-ca=") + path("ca.pem"),
                QStringLiteral("--ssl-cert=") + path("server.pem"),
                QStringLiteral("--ssl-key=") + path("server-key.pem")};
    }

private:
    void run(std::initializer_list<QByteArray> args)
    {
        QStringList list;
        for (const QByteArray &a : args)
            list << QString::fromLatin1(a);
        QProcess p;
        p.setWorkingDirectory(m_dir.path());
        p.start(QStringLiteral("openssl"), list);
        if (!p.waitForFinished() || p.exitCode() != 0)
            qFatal("openssl %s: %s", qPrintable(list.join(QLatin1Char(' '))),
                   p.readAllStandardError().constData());
    }
    void authority(const char *name)
    {
        const QByteArray n(name);
        run({"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
             "/CN=Test CA " + n, "-keyout", n + "-key.pem", "-out", n + ".pem"});
    }
    void leaf(const char *name, const char *extension)
    {
        const QByteArray n(name);
        QFile ext(m_dir.filePath(QStringLiteral("ext")));
        if (!ext.open(QIODevice::WriteOnly) || ext.write(extension) < 0)
            qFatal("no file");
        ext.close();
        run({"req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=" + n, "-keyout", n + "-key.pem",
             "-out", "req.pem"});
        run({"x509", "-req", "-in", "req.pem", "-CA", "ca.pem", "-CAkey", "ca-key.pem",
             "-CAcreateserial", "-days", "2", "-extfile", "ext", "-out", n + ".pem"});
    }
    QTemporaryDir m_dir;
};

} // namespace causeway::test
