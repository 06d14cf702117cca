import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `GET` and `DELETE /v1/admin/apps/{app}/users/{user}/sessions`, and `DELETE` of one of them.
struct AdminSessionRoutes: Sendable {
    let flow: AdminSessionFlow
    let keys: KeyRing

    func mount(_ ofApp: AdminGroup) {
        ofApp.on(.get, "/users/{user}/sessions", .usersRead, use: list)
        ofApp.on(.delete, "/users/{user}/sessions", .usersWrite, use: endAll)
        ofApp.on(.delete, "/users/{user}/sessions/{session}", .usersWrite, use: end)
    }

    @Sendable func list(
        _ request: Request, context: AdminRequestContext
    ) async throws -> ListAnswer<AdminUserRoutes.SessionAnswer> {
        let query = try QueryParameters(request, known: ListPage.parameters)
        let user = try context.id("user", as: UserID.self)
        let page = try ListPage(query, of: "sessions \(user)", context, keys: keys)
        let found = try await flow.sessions(
            of: user, after: page.cursor, limit: page.readLimit, in: context.scope)
        guard let found else { throw Problem(.notFound) }
        return page.answer(
            found, position: { ($0.createdAt, $0.id.uuid) }, AdminUserRoutes.SessionAnswer.init)
    }

    @Sendable func end(_ request: Request, context: AdminRequestContext) async throws -> HTTPResponse.Status {
        let admin = try context.write(request)
        let outcome = try await flow.end(
            try context.id("session"), of: try context.id("user"), for: admin, in: context.scope)
        return try Self.status(outcome)
    }

    @Sendable func endAll(_ request: Request, context: AdminRequestContext) async throws -> HTTPResponse.Status {
        let admin = try context.write(request)
        return try Self.status(try await flow.endAll(of: try context.id("user"), for: admin, in: context.scope))
    }

    private static func status<Value>(_ outcome: AdminOutcome<Value>) throws -> HTTPResponse.Status {
        switch outcome {
        case .done: return .noContent
        case .refused(let refusal): throw Problem(refusal)
        }
    }
}
