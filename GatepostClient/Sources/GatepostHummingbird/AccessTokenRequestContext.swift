public import GatepostClient
public import Hummingbird

/// A request's context that can hold a verified token.
public protocol AccessTokenRequestContext: RequestContext {
    /// The token that came with the request, once `AccessTokenMiddleware` has verified it.
    var accessToken: AccessToken? { get set }
}

/// Such a context for an app that needs nothing else in it.
public struct BasicAccessTokenRequestContext: AccessTokenRequestContext {
    public var coreContext: CoreRequestContextStorage
    public var accessToken: AccessToken?

    /// Begins with nobody.
    public init(source: Source) {
        coreContext = .init(source: source)
    }
}

/// The context of a route for signed-in users: it cannot exist without one.
///
/// A client that acts for itself is answered 403: it is nobody's session.
public struct UserRequestContext<Parent: AccessTokenRequestContext>: ChildRequestContext {
    public var coreContext: CoreRequestContextStorage
    /// What the token says.
    public let accessToken: AccessToken
    /// The user: `usr_…` or, for a client with pairwise subjects, what that client calls them.
    public let user: String

    /// Takes the token that the middleware has verified.
    public init(context: Parent) throws {
        guard let token = context.accessToken else { throw BearerChallenge.missing.error(realm: "gatepost") }
        guard let user = token.user else {
            throw BearerChallenge.insufficient("the token is a client's own, not a user's", scope: nil)
                .error(realm: token.app)
        }
        (coreContext, accessToken, self.user) = (context.coreContext, token, user)
    }
}

/// The context of a route for signed-in users in an app that needs nothing else in it.
public typealias BasicUserRequestContext = UserRequestContext<BasicAccessTokenRequestContext>
