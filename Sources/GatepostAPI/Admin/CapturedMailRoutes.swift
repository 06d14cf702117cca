import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `GET /v1/admin/apps/{app}/captured-mails` and one of them, for apps in capture mode.
struct CapturedMailRoutes: Sendable {
    let flow: CapturedMailFlow
    let keys: KeyRing

    func mount(_ ofApp: AdminGroup) {
        ofApp.on(.get, "/captured-mails", .capturedMailsOpen, use: list)
        ofApp.on(.get, "/captured-mails/{message}", .capturedMailsOpen, use: open)
    }

    struct MailAnswer: Encodable {
        let id: MessageID
        let kind: String
        let to: String
        let userID: UserID?
        let flowID: FlowID?
        let capturedAt: Instant

        enum CodingKeys: String, CodingKey {
            case id, kind, to
            case userID = "user_id"
            case flowID = "flow_id"
            case capturedAt = "captured_at"
        }

        init(_ mail: CapturedMailRecord) {
            (id, kind, to) = (mail.id, mail.kind, mail.recipient)
            (userID, flowID, capturedAt) = (mail.userID, mail.flowID, mail.capturedAt)
        }
    }

    struct OpenedAnswer: ResponseEncodable {
        let mail: MailAnswer
        let from: String
        let subject: String
        let text: String
        let html: String
        let raw: String

        init(_ opened: CapturedMailFlow.Opened) {
            mail = MailAnswer(opened.mail)
            (from, subject) = (opened.content.from, opened.content.subject)
            (text, html, raw) = (opened.content.text, opened.content.html, opened.content.raw)
        }
    }

    @Sendable func list(_ request: Request, context: AdminRequestContext) async throws -> ListAnswer<MailAnswer> {
        try Self.checkMode(context)
        let query = try QueryParameters(request, known: ListPage.parameters.union(["address"]))
        let address = try query.value("address", EmailAddress.init)
        let page = try ListPage(query, of: "captured mails \(address?.canonical ?? "")", context, keys: keys)
        let mails = try await flow.mails(
            to: address, after: page.cursor, limit: page.readLimit, in: context.scope)
        return page.answer(mails, position: { ($0.capturedAt, $0.id.uuid) }, MailAnswer.init)
    }

    @Sendable func open(_ request: Request, context: AdminRequestContext) async throws -> OpenedAnswer {
        try Self.checkMode(context)
        let admin = AdminRequest(context.principal, from: context.origin(of: request))
        let opened = try await flow.open(try context.id("message"), for: admin, in: context.scope)
        guard let opened else { throw Problem(.notFound) }
        return OpenedAnswer(opened)
    }

    private static func checkMode(_ context: AdminRequestContext) throws {
        guard context.scope.settings.capturesMails else {
            throw Problem(.conflict, detail: "The app sends its mails: it is not in capture mode.")
        }
    }
}
