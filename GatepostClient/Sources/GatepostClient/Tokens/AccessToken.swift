import Foundation

/// What a valid access token says.
///
/// A token outlives its session by at most its own life; who must know at once asks Gatepost's introspection endpoint.
public struct AccessToken: Sendable {
    /// The user: `usr_…` or, for a client with pairwise subjects, what that client calls them; nil where a client acts
    /// for itself.
    public let user: String?
    /// The client that the token was given to, `cli_…`.
    public let client: String
    /// Whether that client is somebody else's than the app's: only where the verifier accepts such tokens.
    ///
    /// What it may do is what `scopes` says, and nothing beyond.
    public let isThirdParty: Bool
    /// The app, `app_…`.
    public let app: String
    /// The user's session, `ses_…`; nil where a client acts for itself.
    public let session: String?
    /// What no other token is called by.
    public let id: String
    /// When it was issued and when it ends, in seconds since 1970.
    public let issuedAt: Int64
    public let expiresAt: Int64
    /// When the person proved who they are, in seconds since 1970.
    public let authenticatedAt: Int64?
    /// How they did (RFC 8176).
    public let methods: [String]
    /// What the client may be told of the user.
    public let scopes: Set<String>
    /// The user's roles and permissions in the app, where the app's setting puts them into tokens.
    public let roles: [String]
    public let permissions: Set<String>

    private let payload: [UInt8]

    init(_ claims: AccessTokenClaims, payload: [UInt8]) {
        // Whoever acts for a user has a session; a client that acts for itself is its own subject (RFC 9068).
        (user, session) = (claims.sid == nil ? nil : claims.sub, claims.sid)
        (client, app, id) = (claims.client_id, claims.app_id, claims.jti)
        isThirdParty = claims.isThirdParty
        (issuedAt, expiresAt, authenticatedAt) = (claims.iat, claims.exp, claims.auth_time)
        (methods, roles) = (claims.amr ?? [], claims.roles ?? [])
        permissions = Set(claims.permissions ?? [])
        scopes = Set((claims.scope ?? "").split(separator: " ").map(String.init))
        self.payload = payload
    }

    /// Reads claims that are not above, such as those that an app has added.
    public func claims<Claims: Decodable>(as type: Claims.Type = Claims.self) throws -> Claims {
        try JSONDecoder().decode(Claims.self, from: Data(payload))
    }
}
