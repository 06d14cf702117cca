import FoundationEssentials
import GatepostModel
import GatepostStore
import Hummingbird

/// What is known of any request: its id in the logs, who sent it and, once resolved, its app.
struct RootRequestContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The address of whoever sent the request: the connection's other end, or whom a trusted proxy names.
    ///
    /// Audit events, limits and logs have this one.
    var clientIP: IPAddress?
    /// Set by `ClientMiddleware` where a trusted proxy names a client that is no address.
    var isClientUnreadable = false
    /// Set by `AppResolver` where the route has an app in its path.
    var app: AppRecord?
    /// Set by `AdminResolver` where the route is one of the admin API.
    var admin: AdminPrincipal?
    /// Told by the handlers of the issuer whose request it is.
    let asking = AskingClient()

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        clientIP = source.channel.remoteAddress?.ipAddress.flatMap { IPAddress($0) }
    }

    var responseEncoder: JSONEncoder { .answers }
}

/// A request to an app that exists and is not suspended; it cannot exist otherwise.
///
/// Handlers of an app's routes take this type, so none of them can forget to ask which app it works for.
struct AppRequestContext: ChildRequestContext {
    var coreContext: CoreRequestContextStorage
    let app: AppRecord
    /// See `RootRequestContext`; set by `StatedAddress` where an app's own server says for whom it calls.
    var clientIP: IPAddress?
    /// See `RootRequestContext`.
    let asking: AskingClient
    /// The client that has stated the address; nil where the connection has it.
    var statedBy: ClientID?
    /// Set by `SessionResolver` where the route needs a signed-in user.
    var session: LiveSession?

    init(context: RootRequestContext) throws {
        guard let app = context.app else { throw Problem(.appNotFound) }
        guard !app.isSuspended else { throw Problem(.appSuspended) }
        coreContext = context.coreContext
        self.app = app
        (clientIP, asking) = (context.clientIP, context.asking)
    }

    var scope: AppScope { app.scope }
    var responseEncoder: JSONEncoder { .answers }

    /// Where a request came from, as the audit events record it and the limits count it.
    func origin(of request: Request) -> RequestOrigin {
        RequestOrigin(
            ip: clientIP?.description, userAgent: request.headers[.userAgent],
            device: DeviceCookie.token(in: request, of: scope), statedBy: statedBy)
    }
}

/// A request by a user whose session lives; it cannot exist otherwise.
struct UserRequestContext: ChildRequestContext {
    var coreContext: CoreRequestContextStorage
    let app: AppRecord
    let clientIP: IPAddress?
    let session: LiveSession

    init(context: AppRequestContext) throws {
        guard let session = context.session else { throw Problem(.invalidAccessToken) }
        coreContext = context.coreContext
        (app, clientIP) = (context.app, context.clientIP)
        self.session = session
    }

    var scope: AppScope { app.scope }
    var responseEncoder: JSONEncoder { .answers }

    /// Where a request came from, as the audit events record it and the limits count it.
    func origin(of request: Request) -> RequestOrigin {
        RequestOrigin(
            ip: clientIP?.description, userAgent: request.headers[.userAgent],
            device: DeviceCookie.token(in: request, of: scope))
    }
}
