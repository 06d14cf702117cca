/// The server that takes our mail, and how it is spoken to.
package struct SMTPRelay: Sendable {
    /// How the connection is protected.
    package enum Security: String, Sendable, CaseIterable {
        /// In the clear: a catcher on loopback, or a private network.
        case none
        /// `STARTTLS` is required; a server that does not offer it gets no mail.
        case startTLS
        /// TLS from the first byte (RFC 8314).
        case tls
    }

    /// A name and a password.
    ///
    /// It prints neither.
    package struct Login: Sendable, CustomStringConvertible, CustomReflectable {
        let username: String
        let password: String

        /// Makes a login.
        package init(username: String, password: String) {
            self.username = username
            self.password = password
        }

        package var description: String { "<redacted>" }
        package var customMirror: Mirror { Mirror(self, children: []) }
    }

    /// A host name or an address; an IPv6 address without brackets.
    package var host: String
    package var port: UInt16
    package var security: Security
    package var login: Login?
    /// What we call ourselves in `EHLO`.
    package var ehloName: String
    /// A file of trusted certificates in PEM, nil for the system's.
    package var caBundlePath: String?
    /// How long a connection may take to be made, TLS included.
    package var connectTimeout: Duration = .seconds(15)
    /// How long a transfer may go on without moving a byte; waiting for a reply counts.
    package var stallTimeout: Duration = .seconds(60)
    /// How long an idle connection is kept.
    ///
    /// Shorter than relays keep theirs (Postfix: 300 s, some: 60 s).
    package var idleTimeout: Duration = .seconds(30)

    /// Makes a relay with the default time limits.
    package init(
        host: String, port: UInt16, security: Security, login: Login? = nil, ehloName: String = "localhost",
        caBundlePath: String? = nil
    ) {
        self.host = host
        self.port = port
        self.security = security
        self.login = login
        self.ehloName = ehloName
        self.caBundlePath = caBundlePath
    }

    /// The URL for libcurl, whose path is the name for `EHLO`; nil if a part cannot stand in a URL or a command.
    var url: String? {
        let isName = { (text: String, extra: String) in
            (1...255).contains(text.utf8.count)
                && text.utf8.allSatisfy { byte in
                    UnicodeScalar(byte).properties.isAlphabetic && byte < 0x80
                        || (0x30...0x39).contains(byte) || "-._\(extra)".utf8.contains(byte)
                }
        }
        guard isName(host, ":"), isName(ehloName, ":[]") else { return nil }
        let authority = host.contains(":") ? "[\(host)]" : host
        return "\(security == .tls ? "smtps" : "smtp")://\(authority):\(port)/\(ehloName)"
    }
}
