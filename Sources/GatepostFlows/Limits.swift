import GatepostModel
import GatepostStore

/// How often things may be tried; every way to prove a factor spends the same budgets (docs/decisions/0025).
///
/// An account is counted by its address, so an unknown address is counted alike. Who tries is a network, or a device
/// that has signed in with this address before: such a device has tries of its own, which nobody else can use up.
struct Limits: Sendable {
    let keys: KeyRing

    /// Wrong tries at one address from one network.
    ///
    /// A success gives its try back, so a person who signs in often is not slowed; twenty guesses a quarter of an
    /// hour find no password that the policy lets through.
    static let proof = RateLimit("proof", tries: 20, per: .minutes(15))
    /// Wrong tries at one address from all networks.
    static let proofAddress = RateLimit("proof.address", tries: 50, per: .minutes(15))
    /// Wrong tries at one address in a row, from all networks (NIST SP 800-63B, section 3.2.2: at most 100).
    static let proofStreak = RateLimit("proof.streak", tries: 100, per: .days(30), memory: .streak)
    /// Wrong tries of a device that is known.
    static let proofDevice = RateLimit("proof.device", tries: 20, per: .minutes(15))
    /// Wrong tries of a device that is known, in a row.
    static let proofDeviceStreak = RateLimit("proof.device_streak", tries: 100, per: .days(30), memory: .streak)
    /// Mails to one address that one network causes.
    static let mail = RateLimit("mail", tries: 5, per: .hours(1))
    /// Mails to one address that a device causes that is known.
    static let mailDevice = RateLimit("mail.device", tries: 5, per: .hours(1))

    /// Ways to a provider that one client address begins: each costs a row, and at worst a request to the provider.
    static let providerStart = RateLimit("provider_start", tries: 60, per: .minutes(15))

    /// What a request of a client spends before anything is written: three times what its network has of wrong tries.
    ///
    /// Whoever sends a browser there has proved nothing, and each request leaves a row or an event.
    static func authorize(from origin: RequestOrigin, in scope: AppScope) -> RateBudgets {
        let tries = min(3 * scope.settings.clientTriesMax, 1_000_000)
        return RateBudgets(narrow: [
            RateBudget(RateLimit("authorize", tries: tries, per: .minutes(15)), for: origin.network)
        ])
    }

    /// What a client's push of a request spends (RFC 9126).
    ///
    /// A public client has proved nothing: whoever knows its id spends what a browser of the same network would. A
    /// confidential one has, and its server pushes for everybody from one address: it is counted by itself.
    static func push(by client: ClientRecord, from origin: RequestOrigin, in scope: AppScope) -> RateBudgets {
        guard client.type == .confidential else { return authorize(from: origin, in: scope) }
        let limit = RateLimit("pushed", tries: scope.settings.appTriesMax, per: .minutes(15))
        return RateBudgets(narrow: [RateBudget(limit, for: client.id.description)])
    }

    /// What a try at a password, a typed code or any other factor of an address spends, before it is compared.
    func proof(of email: EmailAddress, from origin: RequestOrigin, in scope: AppScope, at now: Instant) -> RateBudgets {
        let (address, network) = (email.canonical, origin.network)
        if let device = device(of: email, origin, in: scope, at: now) {
            return RateBudgets(narrow: [
                RateBudget(Self.proofDevice, for: device.id), RateBudget(Self.proofDeviceStreak, for: device.id),
            ])
        }
        let settings = scope.settings
        return RateBudgets(
            narrow: [
                RateBudget(Self.proof, for: "\(address) \(network)"),
                RateBudget(RateLimit("proof.client", tries: settings.clientTriesMax, per: .minutes(15)), for: network),
            ],
            wide: [
                RateBudget(Self.proofAddress, for: address), RateBudget(Self.proofStreak, for: address),
                RateBudget(RateLimit("proof.app", tries: settings.appTriesMax, per: .minutes(15)), for: ""),
            ])
    }

    /// What is given back when a try has succeeded: all but the app's own count, which is one row for everybody.
    ///
    /// The row would be locked until the sign-in is on disk, one sign-in of the app after the other. Whatever device
    /// it was, the address's wrong tries in a row end.
    func earned(_ spent: RateBudgets, by email: EmailAddress) -> RateBudgets {
        let streak = RateBudget(Self.proofStreak, for: email.canonical)
        let wide = spent.wide.filter { !$0.subject.isEmpty && $0 != streak }
        return RateBudgets(narrow: spent.narrow, wide: wide + [streak])
    }

    /// What is given back when a try came to nothing that was compared: all but the app's own count.
    func unused(_ spent: RateBudgets) -> RateBudgets {
        RateBudgets(narrow: spent.narrow, wide: spent.wide.filter { !$0.subject.isEmpty })
    }

    /// What is given back once the owner of an address has proved that its mailbox is theirs.
    ///
    /// Strangers' wrong tries in a row end there: however many they were, they keep nobody out.
    func proved(_ email: EmailAddress) -> RateBudgets {
        RateBudgets(narrow: [], wide: [RateBudget(Self.proofStreak, for: email.canonical)])
    }

    /// What asking for a mail to an address spends.
    ///
    /// A device that is known has its own share, up to what the app sends in all.
    func mail(to email: EmailAddress, from origin: RequestOrigin, in scope: AppScope, at now: Instant) -> RateBudgets {
        let (address, network, settings) = (email.canonical, origin.network, scope.settings)
        let app = RateBudget(RateLimit("mail.app", tries: settings.appMailsMax, per: .hours(1)), for: "")
        if let device = device(of: email, origin, in: scope, at: now) {
            return RateBudgets(narrow: [RateBudget(Self.mailDevice, for: device.id)], wide: [app])
        }
        let recipient = RateLimit("mail.address", tries: settings.recipientMailsMax, per: .hours(1))
        return RateBudgets(
            narrow: [
                RateBudget(Self.mail, for: "\(address) \(network)"),
                RateBudget(RateLimit("mail.client", tries: settings.clientMailsMax, per: .hours(1)), for: network),
            ], wide: [RateBudget(recipient, for: address), app])
    }

    private func device(
        of email: EmailAddress, _ origin: RequestOrigin, in scope: AppScope, at now: Instant
    ) -> DeviceToken? {
        origin.device.flatMap { DeviceToken(presented: $0, for: email, in: scope.appID, at: now, keys: keys) }
    }
}

extension RequestOrigin {
    /// Whose tries a request counts among: a subscriber's network.
    ///
    /// Requests without an address count together: no check is skipped for want of one.
    var network: String {
        ip.map { IPAddress($0)?.subscriber ?? $0 } ?? "nowhere"
    }
}
