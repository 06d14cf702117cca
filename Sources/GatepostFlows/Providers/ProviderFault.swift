import GatepostModel

/// Why a provider's answer signs nobody in: for the audit trail, which names it in one word.
package enum ProviderFault: Error, Sendable, Equatable {
    /// It could not be asked; the text is for the log.
    case unreachable(String)
    /// It answered a request of ours with this status.
    case status(Int)
    /// Its documents or answers are not what the specification says.
    case malformed(String)
    /// Its discovery document names another issuer than the one that was configured.
    case issuerMismatch
    /// It sent the browser back with an error.
    case declined
    /// It names somebody without saying which address they have.
    case noEmail
    /// Our own settings do not open.
    case unusableSettings
    /// The ID token does not hold.
    case token(IDTokenFlaw)

    /// The reason in the audit trail.
    var reason: String {
        switch self {
        case .unreachable: "provider_unreachable"
        case .status(let status): "provider_status_\(status)"
        case .malformed(let what): "provider_malformed_\(what)"
        case .issuerMismatch: "provider_issuer"
        case .declined: "provider_declined"
        case .noEmail: "provider_no_email"
        case .unusableSettings: "provider_settings"
        case .token(let flaw): "id_token_\(flaw.rawValue)"
        }
    }

    /// What the caller is told: no more than whether trying again makes sense.
    var refusal: Refusal {
        switch self {
        case .unreachable, .unusableSettings: Refusal(.providerUnavailable)
        case .status(let status) where status >= 500 || status == 429: Refusal(.providerUnavailable)
        case .noEmail: Refusal(.providerKeptAddress)
        case .declined: Refusal(.providerDeclined)
        case .status, .malformed, .issuerMismatch, .token: Refusal(.invalidProviderAnswer)
        }
    }
}

/// What is wrong with an ID token.
package enum IDTokenFlaw: String, Error, Sendable, CaseIterable {
    /// It cannot be read, or its base 64 has more than one spelling.
    case malformed
    /// `none`, an HMAC, or an algorithm that its key is not for.
    case algorithm
    /// No published key has its id.
    case key
    case signature
    case issuer
    case audience
    /// Issued to another party than the app, which is in the audience too.
    case party
    case expired
    /// Issued in the future, or long ago.
    case issuedAt = "issued_at"
    case nonce
    case subject
}
