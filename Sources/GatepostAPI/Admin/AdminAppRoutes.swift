import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `GET` and `POST /v1/admin/apps`, `GET` and `PATCH /v1/admin/apps/{app}`, its `suspend` and `resume`.
struct AdminAppRoutes: Sendable {
    let flow: AdminAppFlow
    let database: Database
    let keys: KeyRing

    func mount(global: AdminGroup, ofApp: AdminGroup) {
        global.on(.get, "/apps", .appsRead, .anywhere, use: list)
        global.on(.post, "/apps", .appsWrite, use: create)
        ofApp.on(.get, "", .appsRead, use: show)
        ofApp.on(.patch, "", .appsWrite, use: change)
        ofApp.on(.post, "/suspend", .appsWrite, use: suspend)
        ofApp.on(.post, "/resume", .appsWrite, use: resume)
    }

    struct AppAnswer: ResponseEncodable {
        let id: AppID
        let name: String
        let state: String
        /// Those that are not at their defaults.
        let settings: AppSettings
        let createdAt: Instant
        let suspendedAt: Instant?

        enum CodingKeys: String, CodingKey {
            case id, name, state, settings
            case createdAt = "created_at"
            case suspendedAt = "suspended_at"
        }

        init(_ app: AppRecord) {
            (id, name, settings) = (app.scope.appID, app.name, app.scope.settings)
            (createdAt, suspendedAt) = (app.createdAt, app.suspendedAt)
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
        try Self.check(name: body.name)
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

    struct ChangeRequest: JSONBody {
        let name: String?
        let settings: SettingsPatch?

        enum CodingKeys: CodingKey, CaseIterable {
            case name, settings
        }
    }

    @Sendable func change(_ request: Request, context: AdminRequestContext) async throws -> AppAnswer {
        let (body, admin) = try await context.write(request, ChangeRequest.self)
        guard body.name != nil || body.settings != nil else {
            throw Problem(.invalidRequest, detail: "There is nothing to change.")
        }
        if let name = body.name { try Self.check(name: name) }
        let change = AppChange(
            name: body.name, settings: body.settings?.change ?? AppSettings(),
            clearedSettings: body.settings?.cleared ?? [])
        return try await answer(try await flow.change(change, for: admin, in: context.scope))
    }

    @Sendable func suspend(_ request: Request, context: AdminRequestContext) async throws -> AppAnswer {
        let (body, admin) = try await context.write(request, AdminUserRoutes.NoteRequest.self)
        let note = try AdminUserRoutes.checked(body.note)
        return try await answer(try await flow.suspend(note: note, for: admin, in: context.scope))
    }

    @Sendable func resume(_ request: Request, context: AdminRequestContext) async throws -> AppAnswer {
        let (body, admin) = try await context.write(request, AdminUserRoutes.NoteRequest.self)
        let note = try AdminUserRoutes.checked(body.note)
        return try await answer(try await flow.resume(note: note, for: admin, in: context.scope))
    }

    /// The app as it is now; what this node remembers of it is older.
    private func answer(_ outcome: AdminOutcome<AppID>) async throws -> AppAnswer {
        switch outcome {
        case .done(let id):
            database.forget(id)
            guard let app = try await database.app(id) else { throw Problem(.appNotFound) }
            return AppAnswer(app)
        case .refused(let refusal):
            throw Problem(refusal)
        }
    }

    private static func check(name: String) throws {
        guard (1...100).contains(name.unicodeScalars.count) else {
            throw Problem(.invalidRequest, detail: "name has 1 to 100 characters.")
        }
    }
}

/// Settings as a request changes them: a value sets one, `null` takes it back to its default (RFC 7396).
struct SettingsPatch: Decodable, Sendable {
    let change: AppSettings
    /// By their names in JSON.
    let cleared: [String]

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        let names = try decoder.container(keyedBy: Name.self).allKeys.map(\.stringValue)
        guard names.allSatisfy({ AppSettings.CodingKeys(stringValue: $0) != nil }) else {
            throw Problem(.unknownField, detail: "settings has a field that is not known here.")
        }
        let container = try decoder.container(keyedBy: AppSettings.CodingKeys.self)
        cleared = try container.allKeys.filter { try container.decodeNil(forKey: $0) }.map(\.rawValue)
        change = try AppSettings(from: decoder)
    }
}
