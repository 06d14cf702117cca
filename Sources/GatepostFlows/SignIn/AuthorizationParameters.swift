import GatepostModel
import GatepostStore

/// What a client sent to the authorize endpoint, name by name, as it was decoded.
///
/// One without a value counts as left out, and none may come twice (RFC 6749, section 3.1): of two, two readers may
/// believe different ones.
package struct AuthorizationParameters: Sendable {
    /// The longest `state` that is kept, in bytes; clients put whole addresses in it.
    static let stateBytesMax = 4000
    /// The longest `nonce` that is kept, in bytes.
    package static let nonceBytesMax = 500

    /// All of them, in the order in which they came.
    let pairs: [(name: String, value: String)]
    private let values: [String: [String]]

    /// Takes the parameters in the order in which they came.
    package init(_ pairs: [(name: String, value: String)]) {
        self.pairs = pairs
        values = Dictionary(grouping: pairs, by: \.name).mapValues { $0.map(\.value) }
    }

    /// A parameter's value; nil if it was left out, empty or came twice.
    package subscript(name: String) -> String? {
        guard let all = values[name], all.count == 1, let value = all.first, !value.isEmpty else { return nil }
        return value
    }

    /// Whether any parameter came twice, known or not.
    var hasRepeats: Bool { values.values.contains { $0.count > 1 } }

    /// What the person is to be asked, whatever the browser knows of them (OpenID Connect Core, section 3.1.2.1).
    var prompts: Set<String> { Set((self["prompt"] ?? "").split(separator: " ").map(String.init)) }

    /// The first thing that is wrong with a request whose client and redirect URI are right; nil if nothing is.
    var error: AuthorizationError? {
        if hasRepeats { return .init(.invalidRequest, "A parameter comes twice.") }
        guard let responseType = self["response_type"] else {
            return .init(.invalidRequest, "The parameter response_type is missing.")
        }
        guard responseType == "code" else { return .init(.unsupportedResponseType, "Use response_type=code.") }
        if let mode = self["response_mode"], mode != "query" {
            return .init(.invalidRequest, "Use response_mode=query.")
        }
        if self["request"] != nil { return .init(.requestNotSupported, "Send the parameters themselves.") }
        if self["request_uri"] != nil { return .init(.requestURINotSupported, "Send the parameters themselves.") }
        if self["registration"] != nil { return .init(.registrationNotSupported, "Clients are registered beforehand.") }
        guard self["code_challenge_method"] == "S256", challenge != nil else {
            return .init(.invalidRequest, "Send code_challenge, 43 characters, and code_challenge_method=S256.")
        }
        let prompts = prompts
        guard prompts.isSubset(of: ["none", "login", "consent", "select_account"]),
            !prompts.contains("none") || prompts.count == 1
        else {
            return .init(.invalidRequest, "The parameter prompt is none, or some of login, consent and select_account.")
        }
        if self["max_age"] != nil, maxAge == nil {
            return .init(.invalidRequest, "The parameter max_age is a number of seconds.")
        }
        if (self["state"]?.utf8.count ?? 0) > Self.stateBytesMax {
            return .init(.invalidRequest, "The parameter state is too long.")
        }
        if (self["nonce"]?.utf8.count ?? 0) > Self.nonceBytesMax {
            return .init(.invalidRequest, "The parameter nonce is too long.")
        }
        return nil
    }

    /// What the client asks to be told of the person.
    var scope: GrantScope { GrantScope(self["scope"] ?? "") }

    /// The client's challenge; nil where it is not one.
    var challenge: CodeChallenge? { self["code_challenge"].flatMap { CodeChallenge($0) } }

    /// How long ago the person may have signed in to be believed; nil where the client does not say.
    var maxAge: Duration? {
        guard let text = self["max_age"], text.utf8.count <= 9, text.utf8.allSatisfy({ (48...57).contains($0) }) else {
            return nil
        }
        return Int64(text).map { .seconds($0) }
    }

    /// Whoever proved who they are before this must prove it again; nil where the client asks for nothing of the kind.
    func authenticatedAfter(at now: Instant) -> Instant? {
        let moments = [maxAge.map { now - $0 }, prompts.contains("login") ? now : nil]
        return moments.compactMap(\.self).max()
    }

    /// The address that the person is likely to sign in with; nil where it is none.
    var loginHint: EmailAddress? { self["login_hint"].flatMap { EmailAddress($0) } }
}

/// What the authorize endpoint tells a client by way of the browser (RFC 6749, section 4.1.2.1).
struct AuthorizationError {
    /// The codes of the specifications.
    enum Code: String {
        case invalidRequest = "invalid_request"
        case unsupportedResponseType = "unsupported_response_type"
        case requestNotSupported = "request_not_supported"
        case requestURINotSupported = "request_uri_not_supported"
        case registrationNotSupported = "registration_not_supported"
        case loginRequired = "login_required"
        case consentRequired = "consent_required"
        case accessDenied = "access_denied"
    }

    let code: Code
    /// For the developer who reads it; never a value that was sent.
    let description: String

    init(_ code: Code, _ description: String) {
        (self.code, self.description) = (code, description)
    }
    /// Where a browser carries it to the client.
    func location(_ redirect: AnsweredRequest, issuer: String) -> String {
        RedirectLocation.text(
            redirect.redirectURI,
            [
                ("error", code.rawValue), ("error_description", description), ("state", redirect.state),
                ("iss", issuer),
            ])
    }
}
