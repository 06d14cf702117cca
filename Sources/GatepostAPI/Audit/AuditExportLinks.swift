import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// What `/apps/{gatepost}/links/{token}` does for the link that the mail about an audit export carries.
///
/// Opening it shows what it opens and one button, because mail scanners open links; only the form uses it up, and
/// answers with the file.
struct AuditExportLinks: Sendable {
    let flow: AdminAuditFlow
    let pages: Pages

    /// The page; nil if the link is not one of a download.
    func open(_ link: OneTimeToken, _ request: Request, _ context: AppRequestContext) async throws -> Response? {
        guard try await flow.isDownload(link, in: context.scope) else { return nil }
        guard let download = try await flow.look(at: link, in: context.scope) else {
            return try gone(request, context)
        }
        return try pages.response(
            AuditExportPage(exported: download.app.name, rows: download.export.rowCount),
            to: pages.reader(of: request, context.app))
    }

    /// The file, once; nil if the link is not one of a download.
    func submit(_ link: OneTimeToken, _ request: Request, _ context: AppRequestContext) async throws -> Response? {
        guard try await flow.isDownload(link, in: context.scope) else { return nil }
        let origin = context.origin(of: request)
        guard let download = try await flow.redeem(link, in: context.scope, from: origin) else {
            return try gone(request, context)
        }
        return AuditExportFileResponse(export: download.export, scope: download.app.scope, flow: flow)
            .response(from: 0)
    }

    private func gone(_ request: Request, _ context: AppRequestContext) throws -> Response {
        try pages.response(
            AuditExportPage(exported: nil, rows: nil), to: pages.reader(of: request, context.app), status: .gone)
    }
}
