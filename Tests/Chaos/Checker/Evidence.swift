/// Something that a person or an admin asked for.
///
/// It is written down before the request is sent: an answer that never came may have been lost on the way back, so what
/// follows from it is not made up. Only what was acknowledged is owed. Ids are the hexadecimal digits of the UUID.
struct Deed: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        case signUp = "sign-up"
        case verify
        case signIn = "sign-in"
        case exchange
        case refresh
        case deactivate
    }

    let kind: Kind
    /// Whom it is about: each address signs up once.
    let email: String
    var isAcknowledged = false
    var flow: String?
    var user: String?
    var session: String?
    /// SHA-256 of the refresh token that was received.
    var tokenHash: String?
}

/// A mail or a notice, as it came over the wire.
struct Receipt: Sendable {
    enum Wire: Sendable, Hashable {
        case mail
        case notice
    }

    let wire: Wire
    /// The id of the message, from `Message-ID` or `webhook-id`.
    let message: String
    /// The address, or the endpoint's path.
    let to: String
    /// What a notice tells: type, user, and session and reason where it has them.
    var type = ""
    var user = ""
    var session = ""
    var reason = ""
    /// Seconds since 1970, by the checker's own clock.
    let at: Double
    /// Whether its receiver kept it, as far as the receiver knows: what it refused, it has to be sent again.
    var isTaken = true
    /// What the sender says the time is; a receiver of notices refuses one that is minutes away.
    var stampedAt: Double?
}

/// A message as the ledger has it.
struct LedgerEntry: Sendable {
    let message: String
    let kind: String
    /// `owed` while it is, else its end.
    let state: String
    let reason: String
    let flow: String
    let user: String
    /// For a notice: type, session, and the endpoint's path.
    let type: String
    let session: String
    let endpoint: String
    /// Seconds since 1970.
    let expiresAt: Double?
    let endedAt: Double?
}

/// Everything that the checker joins.
struct Evidence: Sendable {
    /// A user's row.
    struct User: Sendable {
        let email: String
        let isVerified: Bool
        let isDeactivated: Bool
    }

    /// A time, in seconds since 1970, during which a worker stood still.
    struct Stop: Sendable {
        let begin: Double
        let end: Double
    }

    /// The longest that an attempt takes which is under way when its message ends: lease, deadline and some air.
    static let attemptSecondsMax = 25.0
    /// How far a notice's stamp may be from the time at which it comes, by Standard Webhooks' usual tolerance.
    static let stampSecondsMax = 300.0

    var deeds: [Deed] = []
    var receipts: [Receipt] = []
    var ledger: [LedgerEntry] = []
    /// Users by id.
    var users: [String: User] = [:]
    var flows: Set<String> = []
    var sessions: Set<String> = []
    var tokenHashes: Set<String> = []
    /// How often each event stands in the trail, by kind and by the flow, session or user that it is about.
    var audit: [String: Int] = [:]
    /// The paths at which an endpoint is told of everything.
    var endpoints: [String] = []
    /// Addresses that the mail server refused for good.
    var refusedForGood: Set<String> = []
    var stops: [Stop] = []

    /// The key of an event in `audit`.
    static func event(_ kind: String, _ subject: String) -> String { kind + " " + subject }
}
