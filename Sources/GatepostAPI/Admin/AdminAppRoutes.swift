import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `GET` and `POST /v1/admin/apps`, `GET /v1/admin/apps/{app}`.
struct AdminAppRoutes: Sendable {
    let flow: AdminAppFlow
    let database: Database
    let keys: KeyRing

    func mount(global: AdminGroup, ofApp: AdminGroup) {
        global.on(.get, "/apps", .appsRead, .anywhere, use: list)
        global.on(.post, "/apps", .appsWrite, use: create)
        ofApp.on(.get, "", .appsRead, use: show)
    }

    struct AppAnswer: ResponseEncodable {
        let id: AppID
        let name: String
        let state: String
        let createdAt: Instant

        enum CodingKeys: String, CodingKey {
            case id, name, state
            case createdAt = "created_at"
        }

        init(_ app: AppRecord) {
            (id, name, createdAt) = (app.scope.appID, app.name, app.createdAt)
            state = app.isSuspended ? "suspended" : "active"
        }
    }

    @Sendable func list(_ request: Request, context: AdminRequestContext) async throws -> ListAnswer<AppAnswer> {
        let query = try QueryParameters(request, known: ListPage.parameters)
        let page = try ListPage(query, of: "apps", context, keys: keys)
        let apps = try await flow.apps(visibleTo: context.principal, after: page.cursor, limit: page.readLimit)
        return page.answer(apps, position: { ($0.createdAt, $0.scope.appID.uuid) }, AppAnswer.init)
    }

    struct CreateRequest: JSONBody {
        let name: String

        enum CodingKeys: CodingKey, CaseIterable {
            case name
        }
    }

    @Sendable func create(
        _ request: Request, context: AdminRequestContext
    ) async throws -> EditedResponse<AppAnswer> {
        let (body, admin) = try await context.write(request, CreateRequest.self)
        guard (1...100).contains(body.name.unicodeScalars.count) else {
            throw Problem(.invalidRequest, detail: "name has 1 to 100 characters.")
        }
        switch try await flow.create(named: body.name, for: admin) {
        case .done(let id):
            guard let app = try await database.app(id) else { throw Problem(.appNotFound) }
            return EditedResponse(status: .created, response: AppAnswer(app))
        case .refused(let refusal):
            throw Problem(refusal)
        }
    }

    @Sendable func show(_ request: Request, context: AdminRequestContext) async throws -> AppAnswer {
        AppAnswer(context.app)
    }
}
