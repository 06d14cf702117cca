import GatepostModel
import Hummingbird

/// `GET /dev/mails`, `GET /dev/mails/latest` and `GET /dev/mails/{id}`: what the development mail catcher received.
///
/// Mounted only where a catcher is given, which no production setting does.
struct DevMailRoutes: Sendable {
    let mails: DevMails
    let pages: Pages

    var endpoints: RouteCollection<RootRequestContext> {
        RouteCollection(context: RootRequestContext.self)
            .get("dev/mails", use: list)
            .get("dev/mails/latest", use: latest)
            .get("dev/mails/{id}", use: show)
    }

    @Sendable func list(_ request: Request, context: RootRequestContext) async throws -> Response {
        try pages.developmentResponse(DevMailsPage(mails: await mails.list().map(MailLine.init)))
    }

    /// The newest mail as text, for a terminal.
    @Sendable func latest(_ request: Request, context: RootRequestContext) async throws -> Response {
        guard let mail = await mails.list().first else { throw Problem(.notFound) }
        let head = "Subject: \(mail.subject)\nTo: \(mail.to.joined(separator: ", "))\n\n"
        let text = head + mail.text.replacing("\r\n", with: "\n")
        return Response(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    @Sendable func show(_ request: Request, context: RootRequestContext) async throws -> Response {
        let id = context.parameters.get("id")
        guard let mail = await mails.list().first(where: { $0.id == id }) else { throw Problem(.notFound) }
        return try pages.developmentResponse(DevMailPage(mail: MailView(mail)))
    }
}
