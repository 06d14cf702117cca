import Configuration
import GatepostModel

/// A setting that cannot be used; says which, and never its value.
struct UnusableSetting: Error, CustomStringConvertible {
    let description: String

    init(_ setting: Setting, _ problem: String) {
        description = "\(setting.environmentName) \(problem)"
    }

    init(unknown name: String) {
        let hint = Setting.nearest(to: name).map { "; did you mean \($0.environmentName)?" } ?? ""
        description = "\(name) is not a setting of gatepost\(hint)"
    }
}

/// What a command needs of the configuration; the rest may be missing.
enum ConfigurationScope {
    /// The database and nothing else: migrations, jobs, lists.
    case database
    /// The database and the key ring: apps, keys.
    case keys
    /// Everything a request needs.
    case serve
    /// Everything a delivery needs.
    case work
}

extension GatepostModel.Configuration {
    /// Reads the environment; unknown `GATEPOST_` variables, values out of bounds and missing ones are errors.
    init(environment: [String: String], for scope: ConfigurationScope) throws {
        for name in environment.keys.sorted() where name.hasPrefix(Setting.prefix) {
            guard Setting.isForTests(name) || Setting.allCases.contains(where: { $0.environmentName == name })
            else { throw UnusableSetting(unknown: name) }
        }
        let secrets = Set(Setting.allCases.filter(\.isSecret).map(\.environmentName))
        let provider = EnvironmentVariablesProvider(
            environmentVariables: environment, secretsSpecifier: .specific(secrets))
        try self.init(SettingReader(reader: ConfigReader(provider: provider).scoped(to: "gatepost")), for: scope)
    }

    private init(_ settings: SettingReader, for scope: ConfigurationScope) throws {
        self.init()
        databaseURL = Secret(try settings.required(.databaseURL))
        databaseMigrateURL = settings.text(.databaseMigrateURL).map(Secret.init)
        databaseConnections = try settings.number(.databaseConnections, 1...64) ?? databaseConnections
        databaseExclusiveConnections =
            try settings.number(.databaseExclusiveConnections, 1...64) ?? databaseExclusiveConnections
        usesPreparedStatements = try settings.flag(.databasePreparedStatements) ?? usesPreparedStatements
        usesEventLoopsAsExecutor = try settings.flag(.eventLoopExecutor) ?? usesEventLoopsAsExecutor
        logLevel = settings.text(.logLevel) ?? logLevel
        try readTelemetry(settings, for: scope)
        jobsFolder = settings.text(.jobs)
        try readServer(settings, for: scope)
        try readDelivery(settings, for: scope)
    }

    private mutating func readServer(_ settings: SettingReader, for scope: ConfigurationScope) throws {
        if scope != .database { keyEncryptionKeys = Secret(try settings.required(.keyEncryptionKeys)) }
        if let keys = settings.text(.keyEncryptionKeys) { keyEncryptionKeys = Secret(keys) }
        if scope == .serve || scope == .work { baseURL = try settings.required(.baseURL) }
        if let url = settings.text(.baseURL) {
            guard Self.isBaseURL(url) else {
                throw UnusableSetting(.baseURL, "must be http:// or https:// with a host and no slash at the end")
            }
            baseURL = url
        }
        if let text = settings.text(.listen) {
            guard let address = ListenAddress(text) else { throw UnusableSetting(.listen, "must be HOST:PORT") }
            listen = address
        }
        trustedProxies = try settings.list(.trustedProxies).map { text in
            guard let range = AddressRange(text) else {
                throw UnusableSetting(.trustedProxies, "has a network that is not written as CIDR")
            }
            return range
        }
        if let text = settings.text(.trustedProxyField) {
            guard let field = ForwardingField(rawValue: text.lowercased()) else {
                throw UnusableSetting(.trustedProxyField, "must be x-forwarded-for or forwarded")
            }
            trustedProxyField = field
        }
        try readPasswords(settings)
    }

    private mutating func readPasswords(_ settings: SettingReader) throws {
        passwordHashThreads = try settings.number(.passwordHashThreads, 1...64)
        passwordHashQueue = try settings.number(.passwordHashQueue, 1...10_000) ?? passwordHashQueue
        if let url = settings.text(.passwordRangeURL) {
            guard Self.isBaseURL(url) else {
                throw UnusableSetting(
                    .passwordRangeURL, "must be http:// or https:// with a host and no slash at the end")
            }
            passwordRangeURL = url
        }
    }

    private mutating func readTelemetry(_ settings: SettingReader, for scope: ConfigurationScope) throws {
        if let text = settings.text(.logFormat) {
            guard let format = LogFormat(rawValue: text) else {
                throw UnusableSetting(.logFormat, "must be json or text")
            }
            logFormat = format
        }
        let text = settings.text(.operationsListen) ?? "127.0.0.1:\(scope == .work ? 9465 : 9464)"
        guard text != "off" else { return }
        guard let address = ListenAddress(text) else {
            throw UnusableSetting(.operationsListen, "must be HOST:PORT, or off")
        }
        operationsListen = address
    }

    private mutating func readDelivery(_ settings: SettingReader, for scope: ConfigurationScope) throws {
        smtpURL = settings.text(.smtpURL) ?? ""
        mailFrom = settings.text(.mailFrom) ?? ""
        if scope == .work {
            smtpURL = try settings.required(.smtpURL)
            mailFrom = try settings.required(.mailFrom)
            guard EmailAddress(mailFrom) != nil else {
                throw UnusableSetting(.mailFrom, "is not an address that mail can come from")
            }
        }
        smtpUsername = settings.text(.smtpUsername)
        smtpPassword = settings.text(.smtpPassword).map(Secret.init)
        smtpRequiresTLS = try settings.flag(.smtpRequireTLS)
        smtpConnections = try settings.number(.smtpConnections, 1...256) ?? smtpConnections
        smtpDeadlineSeconds = try settings.number(.smtpDeadlineSeconds, 1...300) ?? smtpDeadlineSeconds
        caBundlePath = settings.text(.caBundle)
        privateDestinations = settings.list(.privateDestinations)
        outboxLeaseSeconds = try settings.number(.outboxLeaseSeconds, 2...900) ?? outboxLeaseSeconds
        outboxSlots = try settings.number(.outboxSlots, 1...1000) ?? outboxSlots
        outboxPollMilliseconds = try settings.number(.outboxPollMilliseconds, 10...10_000) ?? outboxPollMilliseconds
        guard outboxLeaseSeconds >= smtpDeadlineSeconds * 2 else {
            throw UnusableSetting(
                .outboxLeaseSeconds, "must be at least twice \(Setting.smtpDeadlineSeconds.environmentName)")
        }
    }

    /// The issuer of every token begins with it, so it is taken as it stands and must need no escaping in JSON.
    private static func isBaseURL(_ text: String) -> Bool {
        guard let scheme = ["https://", "http://"].first(where: text.hasPrefix) else { return false }
        let rest = text.dropFirst(scheme.count)
        return !rest.isEmpty && !rest.hasSuffix("/")
            && rest.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"\"\\<>@?#".utf8.contains($0) }
    }
}

/// Reads single settings; an empty variable counts as missing.
private struct SettingReader {
    let reader: ConfigReader

    func text(_ setting: Setting) -> String? {
        let value = reader.string(forKey: ConfigKey(setting.rawValue), isSecret: setting.isSecret)
        return value.flatMap { $0.isEmpty ? nil : $0 }
    }

    func required(_ setting: Setting) throws -> String {
        guard let value = text(setting) else { throw UnusableSetting(setting, "is not set; it has no default") }
        return value
    }

    func number(_ setting: Setting, _ bounds: ClosedRange<Int>) throws -> Int? {
        guard let text = text(setting) else { return nil }
        guard let value = Int(text), bounds.contains(value) else {
            throw UnusableSetting(setting, "must be a whole number from \(bounds.lowerBound) to \(bounds.upperBound)")
        }
        return value
    }

    func flag(_ setting: Setting) throws -> Bool? {
        switch text(setting)?.lowercased() {
        case nil: nil
        case "true", "on", "1", "yes": true
        case "false", "off", "0", "no": false
        default: throw UnusableSetting(setting, "must be true or false")
        }
    }

    func list(_ setting: Setting) -> [String] {
        (text(setting) ?? "").split(separator: ",").map { $0.filter { $0 != " " } }
    }
}
