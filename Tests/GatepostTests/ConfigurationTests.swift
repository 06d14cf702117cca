import GatepostModel
import Testing

@testable import gatepost

@Suite("Configuration")
struct ConfigurationTests {
    private static let complete = [
        "GATEPOST_DATABASE_URL": "postgresql://gatepost@/gatepost",
        "GATEPOST_BASE_URL": "https://auth.example.com",
        "GATEPOST_KEY_ENCRYPTION_KEYS": "1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "GATEPOST_SMTP_URL": "smtp://relay.example.com:587",
        "GATEPOST_MAIL_FROM": "no-reply@example.com",
        "PATH": "/usr/bin", "GATEPOSTAL": "not ours",
    ]

    private func read(_ changes: [String: String], for scope: ConfigurationScope = .work) throws -> Configuration {
        try Configuration(environment: Self.complete.merging(changes) { $1 }, for: scope)
    }

    @Test func `what is set is read, the rest has its default`() throws {
        let configuration = try read(["GATEPOST_LISTEN": "[::1]:9000", "GATEPOST_DATABASE_PREPARED_STATEMENTS": "off"])

        #expect(configuration.databaseURL.revealed == "postgresql://gatepost@/gatepost")
        #expect(configuration.listen == ListenAddress(host: "::1", port: 9000))
        #expect(!configuration.usesPreparedStatements)
        #expect(configuration.databaseConnections == 8)
        #expect(configuration.outboxLeaseSeconds == 90)
        #expect(configuration.smtpRequiresTLS == nil)
        #expect(configuration.logFormat == .json)
        #expect(configuration.trustedProxies.isEmpty)
        let proxied = try read(["GATEPOST_TRUSTED_PROXIES": "10.0.0.0/8, fd00::/8"])
        #expect(proxied.trustedProxyField == .xForwardedFor)
        #expect(try read(["GATEPOST_TRUSTED_PROXY_FIELD": "Forwarded"]).trustedProxyField == .forwarded)
        #expect(proxied.trustedProxies == ["10.0.0.0/8", "fd00::/8"].compactMap(AddressRange.init))
    }

    @Test func `health and metrics stay on loopback unless said otherwise, and off is nowhere`() throws {
        #expect(try read([:], for: .work).operationsListen == ListenAddress(host: "127.0.0.1", port: 9465))
        #expect(try read([:], for: .serve).operationsListen == ListenAddress(host: "127.0.0.1", port: 9464))
        let chosen = try read(["GATEPOST_OPERATIONS_LISTEN": "10.0.0.7:9000"])
        #expect(chosen.operationsListen == ListenAddress(host: "10.0.0.7", port: 9000))
        #expect(try read(["GATEPOST_OPERATIONS_LISTEN": "off"]).operationsListen == nil)
    }

    @Test(arguments: [
        ("GATEPOST_DATABSE_URL", "GATEPOST_DATABASE_URL"), ("GATEPOST_BASEURL", "GATEPOST_BASE_URL"),
        ("GATEPOST_SMTP_PASSWD", "GATEPOST_SMTP_PASSWORD"), ("GATEPOST_OUTBOX_LEASE", "no suggestion"),
    ])
    func `an unknown variable is refused with a suggestion where one is near`(name: String, suggestion: String) {
        let error = #expect(throws: UnusableSetting.self) { try read([name: "x"]) }
        let text = error?.description ?? ""
        #expect(text.contains("\(name) is not a setting"))
        #expect(text.contains(suggestion) == (suggestion != "no suggestion"))
    }

    @Test(arguments: [
        ("GATEPOST_DATABASE_CONNECTIONS", "0"), ("GATEPOST_DATABASE_CONNECTIONS", "65"),
        ("GATEPOST_DATABASE_CONNECTIONS", "eight"), ("GATEPOST_DATABASE_PREPARED_STATEMENTS", "maybe"),
        ("GATEPOST_LISTEN", "8080"), ("GATEPOST_OPERATIONS_LISTEN", "9464"), ("GATEPOST_LOG_FORMAT", "xml"),
        ("GATEPOST_LISTEN", "127.0.0.1:70000"), ("GATEPOST_BASE_URL", "auth.example.com"),
        ("GATEPOST_BASE_URL", "https://auth.example.com/"), ("GATEPOST_BASE_URL", "https://user@auth.example.com"),
        ("GATEPOST_BASE_URL", "https://auth.example.com/\"x"), ("GATEPOST_MAIL_FROM", "no-reply"),
        ("GATEPOST_TRUSTED_PROXIES", "10.0.0.1/8"), ("GATEPOST_TRUSTED_PROXIES", "10.0.0.0/8,proxy"),
        ("GATEPOST_TRUSTED_PROXY_FIELD", "x-real-ip"),
        ("GATEPOST_PASSWORD_RANGE_URL", "api.example.com"), ("GATEPOST_PASSWORD_RANGE_URL", "https://example.com/"),
        ("GATEPOST_OUTBOX_LEASE_SECONDS", "59"), ("GATEPOST_SMTP_DEADLINE_SECONDS", "301"),
    ])
    func `a value out of bounds is refused by its variable's name`(name: String, value: String) {
        let error = #expect(throws: UnusableSetting.self) { try read([name: value]) }
        #expect(error?.description.hasPrefix(name) == true)
    }

    @Test(arguments: [
        "GATEPOST_DATABASE_URL", "GATEPOST_BASE_URL", "GATEPOST_KEY_ENCRYPTION_KEYS", "GATEPOST_SMTP_URL",
        "GATEPOST_MAIL_FROM",
    ])
    func `what has no default must be set, and empty is not set`(name: String) {
        let error = #expect(throws: UnusableSetting.self) { try read([name: ""]) }
        #expect(error?.description == "\(name) is not set; it has no default")
    }

    @Test func `a list of apps needs nothing but the database`() throws {
        let configuration = try Configuration(
            environment: ["GATEPOST_DATABASE_URL": "postgresql://x"], for: .database)
        #expect(configuration.databaseURL.revealed == "postgresql://x")
    }

    @Test func `a complaint never shows a secret`() {
        let error = #expect(throws: UnusableSetting.self) {
            try read(["GATEPOST_DATABASE_URL": "postgresql://gatepost:hunter2@db", "GATEPOST_LISTEN": "x"])
        }
        #expect(error?.description.contains("hunter2") == false)
    }
}
