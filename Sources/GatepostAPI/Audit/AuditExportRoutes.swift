import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `POST` and `GET /v1/admin/apps/{app}/audit-exports`, one of them, and its `file`.
struct AuditExportRoutes: Sendable {
    let flow: AdminAuditFlow
    let keys: KeyRing

    func mount(_ ofApp: AdminGroup) {
        ofApp.on(.post, "/audit-exports", .auditExport, use: begin)
        ofApp.on(.get, "/audit-exports", .auditExport, use: list)
        ofApp.on(.get, "/audit-exports/{export}", .auditExport, use: show)
        ofApp.on(.get, "/audit-exports/{export}/file", .auditExport, use: file)
    }

    struct BeginRequest: JSONBody {
        let format: AuditExportFormat
        let user: UserID?
        let kinds: [String]?
        let since: Instant?
        let until: Instant?

        enum CodingKeys: CodingKey, CaseIterable {
            case format, user, kinds, since, until
        }
    }

    @Sendable func begin(
        _ request: Request, context: AdminRequestContext
    ) async throws -> EditedResponse<AuditExportAnswer> {
        let (body, admin) = try await context.write(request, BeginRequest.self)
        let kinds = body.kinds.map { Set($0).sorted() }
        guard kinds?.isEmpty != true, kinds?.allSatisfy({ AuditEvent.Kind(rawValue: $0) != nil }) != false else {
            throw Problem(.invalidRequest, detail: "kinds names at least one kind of event, and only known ones.")
        }
        let filter = AuditFilter(user: body.user, kinds: kinds, since: body.since, until: body.until)
        switch try await flow.begin(body.format, filter, for: admin, in: context.scope) {
        case .done(let id):
            guard let export = try await flow.export(id, in: context.scope) else { throw Problem(.notFound) }
            return EditedResponse(status: .accepted, response: AuditExportAnswer(export))
        case .refused(let refusal):
            throw Problem(refusal)
        }
    }

    @Sendable func list(
        _ request: Request, context: AdminRequestContext
    ) async throws -> ListAnswer<AuditExportAnswer> {
        let query = try QueryParameters(request, known: ListPage.parameters)
        let page = try ListPage(query, of: "audit-exports", context, keys: keys)
        let exports = try await flow.exports(after: page.cursor, limit: page.readLimit, in: context.scope)
        return page.answer(exports, position: { ($0.createdAt, $0.id.uuid) }, AuditExportAnswer.init)
    }

    @Sendable func show(_ request: Request, context: AdminRequestContext) async throws -> AuditExportAnswer {
        AuditExportAnswer(try await export(context))
    }

    @Sendable func file(_ request: Request, context: AdminRequestContext) async throws -> Response {
        let export = try await export(context)
        guard export.state == .finished else {
            throw Problem(.conflict, detail: "The export is \(export.state.rawValue).")
        }
        let file = AuditExportFileResponse(export: export, scope: context.scope, flow: flow)
        let start = try file.start(of: request)
        if request.method != .head {
            try await flow.recordDownload(
                of: export, from: start, by: context.principal, in: context.scope, context.origin(of: request))
        }
        return file.response(from: start)
    }

    private func export(_ context: AdminRequestContext) async throws -> AuditExportRecord {
        guard let export = try await flow.export(try context.id("export"), in: context.scope) else {
            throw Problem(.notFound)
        }
        return export
    }
}

/// An export as the API shows it; once it is finished, with the manifest of its file.
struct AuditExportAnswer: ResponseEncodable {
    let id: AuditExportID
    let state: AuditExportState
    let reason: String?
    let format: AuditExportFormat
    let requestedBy: String
    /// Events that are in the file so far.
    let rows: Int64
    let createdAt: Instant
    let expiresAt: Instant
    let manifest: Manifest?

    /// What is in the file, so that whoever has it can tell that it is whole.
    struct Manifest: Encodable {
        let format: AuditExportFormat
        let range: Range
        let filter: Filter
        let count: Int64
        let bytes: Int64
        let sha256: String
        let finishedAt: Instant

        enum CodingKeys: String, CodingKey {
            case format, range, filter, count, bytes, sha256
            case finishedAt = "finished_at"
        }
    }

    /// From `since` on, or from the beginning, and before `until`.
    struct Range: Encodable {
        let since: Instant?
        let until: Instant?
    }

    struct Filter: Encodable {
        let user: UserID?
        let kinds: [String]?
    }

    enum CodingKeys: String, CodingKey {
        case id, state, reason, format, rows, manifest
        case requestedBy = "requested_by"
        case createdAt = "created_at"
        case expiresAt = "expires_at"
    }

    init(_ export: AuditExportRecord) {
        (id, state, reason, format) = (export.id, export.state, export.reason, export.format)
        (requestedBy, rows) = (export.requestedBy, export.rowCount)
        (createdAt, expiresAt) = (export.createdAt, export.expiresAt)
        let (filter, rows, bytes) = (export.filter, export.rowCount, export.byteCount)
        manifest = export.fileHash.flatMap { hash in
            export.finishedAt.map { finishedAt in
                Manifest(
                    format: export.format, range: Range(since: filter.since, until: filter.until),
                    filter: Filter(user: filter.user, kinds: filter.kinds), count: rows, bytes: bytes,
                    sha256: hash.hexadecimal, finishedAt: finishedAt)
            }
        }
    }
}
