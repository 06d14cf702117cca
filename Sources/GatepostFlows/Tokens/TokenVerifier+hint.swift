import FoundationEssentials
import GatepostModel
import GatepostStore

/// What an ID token of ours says that a client shows us again.
struct IDTokenHint: Sendable {
    let client: ClientID
    /// The user's id, or what this client calls them.
    let subject: String
    let session: SessionID?
}

extension TokenVerifier {
    /// Reads an ID token that this issuer gave one of the app's clients; nil for anything else.
    ///
    /// One that has expired counts (RP-Initiated Logout 1.0, section 2): it proves whom the client was told of, and
    /// opens nothing.
    func hint(_ token: String, in scope: AppScope) async throws -> IDTokenHint? {
        let keys = try await cache.keys(of: scope)
        guard let claims = Self.payload(of: token, signedBy: keys.verifyingIDTokens, as: Claims.self),
            claims.iss == TokenIssuer.issuer(of: scope.appID, baseURL: baseURL)
        else { return nil }
        return IDTokenHint(client: claims.aud, subject: claims.sub, session: claims.sid)
    }

    private struct Claims: Decodable {
        let iss: String
        let sub: String
        let aud: ClientID
        let sid: SessionID?
    }
}
