/// What an app decides for itself, kept as JSON in its row.
///
/// Every field has a default and bounds; a value outside them is refused when it is written, so a reader need
/// not look again.
package struct AppSettings: Codable, Hashable, Sendable {
    /// Life of an access token in seconds, 60 to 3,600; default 600.
    ///
    /// Also how long a token of an ended session still works where nobody asks Gatepost about it.
    package var accessTokenSeconds: Int64?
    /// How long a refresh token may lie unused, in seconds, up to 90 days; default 30 days.
    package var refreshIdleSeconds: Int64?
    /// How long a session lives at most, in seconds, up to a year; default 90 days.
    package var sessionSeconds: Int64?
    /// Age in seconds at which a signing key is replaced, 1 day to 1 year; default 90 days.
    package var signingKeySeconds: Int64?
    /// How long the ledger keeps what has ended, in seconds, 1 to 90 days; default 30 days.
    ///
    /// Each day is a partition, and a page of the ledger locks all that there are, so there is a limit to them.
    package var deliveryHistorySeconds: Int64?
    /// How long an audit event is kept, in seconds, 30 days to 10 years; default 400 days.
    package var auditHistorySeconds: Int64?
    /// Whether tokens say which roles the user has and what these permit; default false.
    package var rolesInTokens: Bool?
    /// Which of the claims that admins have noted about users are told, and where; default none.
    ///
    /// By name, up to 20. `roles` stands for roles and permissions: where it is named, `rolesInTokens` holds there.
    package var tokenClaims: [String: [ClaimPlace]]?
    /// Whether mails are kept to be read instead of being sent, for an app on which something is tested; default false.
    package var captureMails: Bool?
    /// Whether an address without an account gets one by signing in with a mail's link or code; default no.
    package var emailSignUp: Bool?
    /// Whether a password reset ends the user's sessions; default yes.
    package var resetEndsSessions: Bool?
    /// Whether everybody proves a second factor; default no, for the built-in app yes.
    package var requireSecondFactor: Bool?

    /// The language of pages and mails where neither the person nor the browser asks for another; default `en`.
    package var defaultLocale: String?
    /// The colour of buttons and links on the hosted pages, `#14594c`; what is shown is made readable.
    package var brandColor: String?
    /// Where the app's logo is, `https://…`, shown on the hosted pages in place of its name.
    package var logoURL: String?
    /// Wrong tries at all addresses from one network in a quarter of an hour, 20 to 1,000,000; default 100.
    ///
    /// To be raised where all requests come from few addresses: an app's own servers, a large office.
    package var clientTriesPerQuarterHour: Int64?
    /// Tries at all addresses from all networks in a quarter of an hour, 1,000 to 1,000,000; default 60,000.
    package var triesPerQuarterHour: Int64?
    /// Mails to one address in an hour that strangers can cause, 1 to 100; default 10.
    package var recipientMailsPerHour: Int64?
    /// Mails in an hour that one network can cause, 5 to 1,000,000; default 60.
    package var clientMailsPerHour: Int64?
    /// Mails in an hour that strangers can cause in all, 10 to 1,000,000; default 10,000.
    package var mailsPerHour: Int64?

    /// Settings that leave everything at its default.
    package init() {}

    /// The life that a new access token gets.
    package var accessTokenLife: Duration { .seconds(accessTokenSeconds ?? 600) }
    /// How long a session goes on without a refresh: the life of a refresh token, counted anew at each exchange.
    package var refreshIdleLife: Duration { .seconds(refreshIdleSeconds ?? 30 * 86400) }
    /// The most that a new session can last; no exchange prolongs it.
    package var sessionLife: Duration { .seconds(sessionSeconds ?? 90 * 86400) }

    /// Whether roles and permissions are told in one place.
    package func tellsRoles(in place: ClaimPlace) -> Bool {
        rolesInTokens == true && tokenClaims?["roles"]?.contains(place) ?? true
    }

    /// Whether any claim is told that admins have noted.
    package var tellsClaims: Bool { tokenClaims?.keys.contains { $0 != "roles" } ?? false }

    /// Whether everybody in an app with these settings proves a second factor: those of the built-in app are admins.
    package func requiresSecondFactor(in app: AppID) -> Bool { requireSecondFactor ?? (app == .gatepost) }

    /// Whether the app is in capture mode.
    package var capturesMails: Bool { captureMails ?? false }

    /// How far back the ledger is shown; what ended before is hidden at once and deleted by a job.
    package var deliveryHistoryLife: Duration {
        deliveryHistorySeconds.map { .seconds($0) } ?? Lifetimes.deliveryHistory
    }
    /// How far back the audit trail is listed and exported; what is older is deleted by a job.
    package var auditHistoryLife: Duration { auditHistorySeconds.map { .seconds($0) } ?? Lifetimes.auditHistory }

    /// See `clientTriesPerQuarterHour`; bounds were checked when it was written.
    package var clientTriesMax: Int32 { Int32(clamping: clientTriesPerQuarterHour ?? 100) }
    /// See `triesPerQuarterHour`.
    package var appTriesMax: Int32 { Int32(clamping: triesPerQuarterHour ?? 60_000) }
    /// See `recipientMailsPerHour`.
    package var recipientMailsMax: Int32 { Int32(clamping: recipientMailsPerHour ?? 10) }
    /// See `clientMailsPerHour`.
    package var clientMailsMax: Int32 { Int32(clamping: clientMailsPerHour ?? 60) }
    /// See `mailsPerHour`.
    package var appMailsMax: Int32 { Int32(clamping: mailsPerHour ?? 10_000) }

    /// The fields by their names in JSON.
    package enum CodingKeys: String, CodingKey, CaseIterable {
        case accessTokenSeconds = "access_token_seconds"
        case refreshIdleSeconds = "refresh_idle_seconds"
        case sessionSeconds = "session_seconds"
        case signingKeySeconds = "signing_key_seconds"
        case deliveryHistorySeconds = "delivery_history_seconds"
        case auditHistorySeconds = "audit_history_seconds"
        case rolesInTokens = "roles_in_tokens"
        case tokenClaims = "token_claims"
        case captureMails = "capture_mails"
        case defaultLocale = "default_locale"
        case brandColor = "brand_color"
        case logoURL = "logo_url"
        case clientTriesPerQuarterHour = "client_tries_per_quarter_hour"
        case triesPerQuarterHour = "tries_per_quarter_hour"
        case recipientMailsPerHour = "recipient_mails_per_hour"
        case clientMailsPerHour = "client_mails_per_hour"
        case mailsPerHour = "mails_per_hour"
        case emailSignUp = "email_sign_up"
        case resetEndsSessions = "reset_ends_sessions"
        case requireSecondFactor = "require_second_factor"
    }

    private var areTokenClaimsKnown: Bool {
        guard let tokenClaims else { return true }
        return tokenClaims.count <= CustomClaims.countMax
            && tokenClaims.allSatisfy { name, places in
                (name == "roles" || CustomClaims.isName(name)) && Set(places).count == places.count
            }
    }

    /// The first field that is out of bounds, by its name in JSON; nil when all are within.
    package var fieldOutOfBounds: String? {
        let checks: [(CodingKeys, Int64?, ClosedRange<Int64>)] = [
            (.accessTokenSeconds, accessTokenSeconds, 60...3600),
            (.refreshIdleSeconds, refreshIdleSeconds, 60...90 * 86400),
            (.sessionSeconds, sessionSeconds, 60...366 * 86400),
            (.signingKeySeconds, signingKeySeconds, 86400...366 * 86400),
            (.deliveryHistorySeconds, deliveryHistorySeconds, 86400...90 * 86400),
            (.auditHistorySeconds, auditHistorySeconds, 30 * 86400...3660 * 86400),
            (.clientTriesPerQuarterHour, clientTriesPerQuarterHour, 20...1_000_000),
            (.triesPerQuarterHour, triesPerQuarterHour, 1000...1_000_000),
            (.recipientMailsPerHour, recipientMailsPerHour, 1...100),
            (.clientMailsPerHour, clientMailsPerHour, 5...1_000_000),
            (.mailsPerHour, mailsPerHour, 10...1_000_000),
        ]
        let texts: [(CodingKeys, String?, (String) -> Bool)] = [
            (.defaultLocale, defaultLocale, LocaleChoice.isTag),
            (.brandColor, brandColor, { BrandColor($0) != nil }),
            (.logoURL, logoURL, { LogoURL($0) != nil }),
        ]
        return checks.first { check in check.1.map { !check.2.contains($0) } ?? false }?.0.rawValue
            ?? texts.first { check in check.1.map { !check.2($0) } ?? false }?.0.rawValue
            ?? (areTokenClaimsKnown ? nil : CodingKeys.tokenClaims.rawValue)
    }
}

/// Lifetimes that no app changes.
package enum Lifetimes {
    /// What a client asked for, from its first step to its answer: a person may have to fetch a mail in between.
    package static let authorizationRequest: Duration = .hours(1)
    /// An admin's browser on the hosted pages, from signing in on.
    package static let consoleSession: Duration = .hours(8)
    /// An admin's browser on the hosted pages, from its last use on.
    package static let consoleIdle: Duration = .minutes(30)
    /// What a client has pushed, until the browser comes that it is for.
    package static let pushedRequest: Duration = .seconds(60)
    /// The cookie that tells browsers apart; counted anew whenever a sign-in begins.
    package static let browserCookie: Duration = .days(90)
    /// What a sign-in waits for its second factor, and a new authenticator for its first code.
    package static let factorChallenge: Duration = .minutes(10)
    /// A browser's way to a provider and back.
    package static let providerSignIn: Duration = .minutes(10)
    /// How long what a provider proved waits for the account to be proved too; as long as a client's request lives.
    package static let provenIdentity: Duration = .hours(1)
    /// An authorization code, from sign-in to exchange.
    package static let authorizationCode: Duration = .seconds(60)
    /// A verification link and the code in the same mail.
    package static let verification: Duration = .hours(24)
    /// A link and a code that sign in by mail.
    package static let emailSignIn: Duration = .minutes(10)
    /// A link and a code that replace a forgotten password.
    package static let passwordReset: Duration = .minutes(30)
    /// A link and a code that prove a user's new address.
    package static let emailChange: Duration = .hours(24)
    /// How long whoever reads the old address may take its change back.
    package static let emailChangeUndo: Duration = .days(7)
    /// How recent a sign-in must be for a change that asks for a proof, where the user has no password to give.
    package static let recentSignIn: Duration = .minutes(10)
    /// How long a notice to a user is owed.
    package static let userNotice: Duration = .days(3)
    /// How long the latest exchange of a refresh token may be repeated: a lost answer is not theft.
    package static let refreshGrace: Duration = .seconds(30)
    /// How far two clocks may differ where a token is verified.
    package static let clockTolerance: Duration = .seconds(30)
    /// A mail ends this long before its secrets do, so that nobody gets a mail that is already dead.
    package static let mailMargin: Duration = .minutes(1)
    /// How long a new signing key is published before it signs: the caches of verifiers have it by then.
    package static let signingKeyNotice: Duration = .hours(1)
    /// How long a device that has signed in keeps tries of its own.
    package static let knownDevice: Duration = .days(180)
    /// How long a repeat of a write under an idempotency key is recognised.
    package static let idempotencyKey: Duration = .hours(24)
    /// How long a webhook notice is owed: longer than its last retry can be away, four days with all chance.
    ///
    /// jobs/end-stale-sessions.sql has the same.
    package static let webhookNotice: Duration = .days(5)
    /// How long an endpoint has failed, with no success in between, when it is disabled.
    ///
    /// jobs/disable-failing-webhook-endpoints.sql has the same.
    package static let webhookFailing: Duration = .days(5)
    /// What became of a message; jobs/delete-past-deliveries.sql and delete-past-attempts.sql have the same.
    package static let deliveryHistory: Duration = .days(30)
    /// An audit event; jobs/delete-past-audit-events.sql has the same.
    package static let auditHistory: Duration = .days(400)
    /// How long an endpoint's secret signs on beside its successor, unless the rotation says otherwise.
    package static let webhookSecretOverlap: Duration = .hours(24)
    /// How long it may sign on at most.
    package static let webhookSecretOverlapMax: Duration = .days(7)
    /// How long a client's secret works on beside its successor, unless the rotation says otherwise.
    package static let clientSecretOverlap: Duration = .hours(24)
    /// How long it may work on at most.
    package static let clientSecretOverlapMax: Duration = .days(30)
    /// How far ahead the end of a client's signed proof may lie: each is remembered until then.
    package static let clientAssertionMax: Duration = .minutes(5)
    /// An invitation to become an admin.
    package static let adminInvitation: Duration = .hours(7 * 24)
    /// How long an API key may live, from the day it is made.
    package static let apiKeyMax: Duration = .hours(366 * 24)
    /// A mail of an app in capture mode; jobs/delete-captured-mails.sql has the same.
    package static let capturedMail: Duration = .days(7)
    /// The file of an audit export, from the request on.
    package static let auditExport: Duration = .days(7)
    /// The link in the mail that says an audit export is ready.
    package static let auditExportLink: Duration = .hours(24)
}
