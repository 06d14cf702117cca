import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird
import Logging

/// Where the routes of apps are mounted: each group resolves the app of its path and records refused writes.
struct AppMount {
    let router: Router<RootRequestContext>
    let database: Database
    let refusal: RefusalFlow
    /// What problems look like where a person meets them.
    let pages: Pages
    /// Scheme, host and port of the base URL, as a browser's `Origin` states them.
    let ownOrigin: String
    let logger: Logger

    /// A group of routes whose handlers get an app's context.
    ///
    /// - Parameters:
    ///   - path: The path, with `{app}` in it.
    ///   - outer: What reports errors in another form than a problem document, if anything.
    /// - Returns: The group, to which the routes are added.
    func group(
        _ path: RouterPath, _ outer: (any MiddlewareProtocol<Request, Response, RootRequestContext>)? = nil
    ) -> RouterGroup<AppRequestContext> {
        let group = router.group(path)
        if let outer { group.add(middleware: outer) }
        return
            group
            .add(middleware: AppResolver(database: database))
            .add(middleware: RefusalRecorder(flow: refusal))
            .group(context: AppRequestContext.self)
    }

    /// A group of pages: their problems are pages, and a form that another site sent is refused.
    ///
    /// - Parameters:
    ///   - path: The path, with `{app}` in it.
    ///   - takesForeignForms: Whether other sites may send forms here, as clients may to the authorize endpoint.
    /// - Returns: The group, to which the routes are added.
    func pageGroup(_ path: RouterPath, takesForeignForms: Bool = false) -> RouterGroup<AppRequestContext> {
        let group =
            router.group(path)
            .add(middleware: ProblemReporter(form: .page(pages, database), logger: logger))
            .add(middleware: AppResolver(database: database))
            .add(middleware: RefusalRecorder(flow: refusal))
        if !takesForeignForms { group.add(middleware: OwnForms(ownOrigin: ownOrigin)) }
        return group.group(context: AppRequestContext.self)
    }
}

extension Router where Context == RootRequestContext {
    /// Answers 405, with the methods that a path does take, instead of 404 (RFC 9110, section 15.5.6).
    ///
    /// To be called when all routes are there.
    func refuseOtherMethods() {
        let known: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options, .trace]
        for (path, routes) in Dictionary(grouping: routes, by: \.path.description) {
            var taken = Set(routes.map(\.method))
            if taken.contains(.get) { taken.insert(.head) }
            let allowed = taken.map(\.rawValue).sorted().joined(separator: ", ")
            for method in known where !taken.contains(method) {
                on(RouterPath(path), method: method) { _, _ -> Response in
                    var problem = Problem(.methodNotAllowed)
                    problem.headers[.allow] = allowed
                    throw problem
                }
            }
        }
    }
}
