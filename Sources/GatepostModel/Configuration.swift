/// What an operator sets, read once at the start and handed down by value.
///
/// Each field says its key, its type, its default and its bounds; `GATEPOST_DATABASE_URL` sets `database.url`.
/// docs/operating.md has the same list, and a test compares the two.
package struct Configuration: Sendable {
    /// `database.url`: where Postgres is, as the login role that may nothing itself; several hosts may be named.
    package var databaseURL = Secret("")
    /// `database.migrate_url`: the same as a role that may make roles, for `gatepost migrate` only; default
    /// `database.url`.
    package var databaseMigrateURL: Secret?
    /// `database.connections`: shared connections, 1 to 64; default 8.
    package var databaseConnections = 8
    /// `database.exclusive_connections`: connections for interactive transactions, 1 to 64; default 4.
    package var databaseExclusiveConnections = 4
    /// `database.prepared_statements`: off behind pgbouncer before 1.21; default true.
    package var usesPreparedStatements = true

    /// `base_url`: where people and apps reach Gatepost, without a slash at the end; required.
    ///
    /// A link is never made from what a request says of its host.
    package var baseURL = ""
    /// `listen`: address and port to listen at; default `127.0.0.1:8080`.
    package var listen = ListenAddress(host: "127.0.0.1", port: 8080)
    /// `trusted_proxies`: networks (CIDR) of the proxies in front, which are believed in whom they heard
    /// from; default none.
    ///
    /// Without it the field is not read at all, and the client is whoever opened the connection.
    package var trustedProxies: [AddressRange] = []
    /// `trusted_proxy_field`: the field in which they say whom they heard from, `x-forwarded-for` or `forwarded`
    /// (RFC 7239); default `x-forwarded-for`.
    ///
    /// The other one is not read.
    package var trustedProxyField = ForwardingField.xForwardedFor
    /// `operations.listen`: where health and metrics are served, `off` for nowhere; default `127.0.0.1:9464` to serve,
    /// `127.0.0.1:9465` to work.
    ///
    /// Not where the API is: what it shows is for whoever runs the program.
    package var operationsListen: ListenAddress?
    /// `event_loop_executor`: whether the network's event loops also run everything else; default true, but for `work`,
    /// which `Program` decides before anything is read.
    package var usesEventLoopsAsExecutor = true
    /// `log.level`: trace, debug, info, notice, warning, error or critical; default info.
    package var logLevel = "info"
    /// `log.format`: json or text; default json.
    package var logFormat = LogFormat.json

    /// `key_encryption_keys`: `EPOCH:BASE64,…`, the first seals, all open; `gatepost keys generate` makes one.
    package var keyEncryptionKeys = Secret("")

    /// `smtp.url`: the relay, `smtp://host:port` or `smtps://host:port`.
    package var smtpURL = ""
    /// `smtp.username`: for a relay that asks who we are; default none.
    package var smtpUsername: String?
    /// `smtp.password`: goes with the user name.
    package var smtpPassword: Secret?
    /// `smtp.require_tls`: whether a mail waits rather than travel in the clear; default true, except to loopback.
    package var smtpRequiresTLS: Bool?
    /// `smtp.connections`: how many mails travel at once, 1 to 256; default 8.
    package var smtpConnections = 8
    /// `smtp.deadline_seconds`: how long one mail may take, 1 to 300; default 30.
    package var smtpDeadlineSeconds = 30
    /// `mail.from`: the address that mails come from; the name beside it is the app's.
    package var mailFrom = ""
    /// `ca_bundle`: a PEM file of the authorities that are trusted instead of the system's; default the system's.
    package var caBundlePath: String?
    /// `private_destinations`: networks (CIDR) that are not public and may be called all the same; default none.
    package var privateDestinations: [String] = []

    /// `password.hash_threads`: passwords hashed at once, 1 to 64, each with 19 MiB; default the number of cores.
    package var passwordHashThreads: Int?
    /// `password.hash_queue`: how many more may wait before callers are told to come back, 1 to 10,000; default 64.
    package var passwordHashQueue = 64
    /// `password.range_url`: a server of Pwned Passwords' range protocol that is asked about each new password, by five
    /// digits of its hash, `https://…/range`; default none.
    package var passwordRangeURL: String?

    /// `outbox.lease_seconds`: how long a claimed message is a worker's own, 2 to 900; default 90.
    ///
    /// At least twice the deadline of a mail: a delivery begins only if the lease outlasts it.
    package var outboxLeaseSeconds = 90
    /// `outbox.slots`: how many deliveries one worker has under way, 1 to 1,000; default 16.
    package var outboxSlots = 16
    /// `outbox.poll_milliseconds`: how often an idle worker looks for work, 10 to 10,000; default 100.
    package var outboxPollMilliseconds = 100
    /// `jobs`: a folder to take the jobs from instead of those that come with the program.
    package var jobsFolder: String?

    /// The defaults.
    package init() {}
}

/// How the log is written.
package enum LogFormat: String, Sendable, CaseIterable {
    /// An object a line, for machines.
    case json
    /// For people.
    case text
}

/// Where a server listens.
package struct ListenAddress: Sendable, Equatable {
    package let host: String
    /// 0 takes a free one.
    package let port: Int

    /// Takes the parts as they are.
    package init(host: String, port: Int) {
        (self.host, self.port) = (host, port)
    }

    /// Reads `host:port`, an IPv6 address in brackets.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65535).contains(port)
        else { return nil }
        let host = text[..<colon].drop { $0 == "[" }
        self.init(host: String(host.last == "]" ? host.dropLast() : host), port: port)
    }
}
