package import GatepostModel
package import GatepostStore

/// What a client gets that asks for itself.
package struct ClientTokenAnswer: Sendable {
    package let accessToken: Secret
    /// Life of the token in seconds.
    package let expiresIn: Int64
}

extension TokenIssuer {
    /// Signs an access token for a client itself: `sub` is the client (RFC 9068, section 2.2), and there is no session.
    package func answer(for client: ClientRecord, in scope: AppScope, at now: Instant) async throws -> ClientTokenAnswer
    {
        let keys = try await cache.keys(of: scope)
        let signer = try keys.forAccessTokens
        let life = scope.settings.accessTokenLife
        let party = client.party == .third ? Self.thirdParty : ""
        let payload = """
            {"iss":"\(Self.issuer(of: scope.appID, baseURL: baseURL))","sub":"\(client.id)","aud":"\(keys.app)",\
            "client_id":"\(client.id)","app_id":"\(keys.app)","iat":\(now.seconds),"exp":\((now + life).seconds),\
            \(party)"jti":"\(tokenID(at: now))"}
            """
        let token = try Self.sign(Array(payload.utf8), by: signer)
        return ClientTokenAnswer(accessToken: token, expiresIn: life.wholeSeconds)
    }
}
