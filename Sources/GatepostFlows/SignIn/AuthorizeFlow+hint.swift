import GatepostModel
import GatepostStore

/// Whom a client expects to sign in (`id_token_hint`; OpenID Connect Core, section 3.1.2.1).
extension AuthorizeFlow {
    /// What the hint of a request comes to.
    enum Expected {
        /// The request has no hint: anybody may sign in.
        case anybody
        case user(UserID)
        /// It was this client's, and nobody can tell any more whom it names.
        case forgotten
        /// It is no ID token of this client's.
        case invalid
    }

    /// Reads whom a request expects.
    ///
    /// A hint that has expired counts; it opens nothing. What tells one user from another must be right all the same:
    /// the signature, and the client.
    func expected(
        by asked: AuthorizationParameters, of client: ClientID, in scope: AppScope
    ) async throws -> Expected {
        guard let text = asked["id_token_hint"] else { return .anybody }
        guard let hint = try await verifier.hint(text, in: scope), hint.client == client else { return .invalid }
        if let user = UserID(hint.subject) { return .user(user) }
        // A pairwise subject leads back to nobody; the session that it was told with does, as long as it is known.
        guard let session = hint.session else { return .forgotten }
        let user = try await database.batch(in: scope) { $0.user(ofSession: session, with: client) }
        return user.map { .user($0) } ?? .forgotten
    }
}

extension AuthorizeFlow.Expected {
    /// What the client is told instead of an answer; nil where the request goes on.
    var error: AuthorizationError? {
        switch self {
        case .anybody, .user: nil
        case .forgotten: AuthorizationError(.loginRequired, "Whom id_token_hint names is no longer known.")
        case .invalid:
            AuthorizationError(.invalidRequest, "The parameter id_token_hint is no ID token of this client.")
        }
    }

    /// The one user who is expected; nil for anybody.
    var userID: UserID? {
        if case .user(let user) = self { user } else { nil }
    }
}
