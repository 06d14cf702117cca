import GatepostModel
import Hummingbird

/// `GET /dev/mails` and `GET /dev/mails/{id}`: what the development mail catcher received.
///
/// Mounted only where a catcher is given, which no production setting does.
struct DevMailRoutes: Sendable {
    let mails: DevMails
    let pages: Pages

    var endpoints: RouteCollection<RootRequestContext> {
        RouteCollection(context: RootRequestContext.self)
            .get("dev/mails", use: list)
            .get("dev/mails/{id}", use: show)
    }

    @Sendable func list(_ request: Request, context: RootRequestContext) async throws -> Response {
        try pages.response(.mails(await mails.list().map(MailLine.init)))
    }

    @Sendable func show(_ request: Request, context: RootRequestContext) async throws -> Response {
        let id = context.parameters.get("id")
        guard let mail = await mails.list().first(where: { $0.id == id }) else { throw Problem(.notFound) }
        return try pages.response(.mail(MailView(mail)))
    }
}
