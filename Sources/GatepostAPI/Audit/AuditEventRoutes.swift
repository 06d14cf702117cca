import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `GET /v1/admin/apps/{app}/audit-events`.
struct AuditEventRoutes: Sendable {
    let flow: AdminAuditFlow
    let keys: KeyRing

    func mount(_ ofApp: AdminGroup) {
        ofApp.on(.get, "/audit-events", .auditRead, use: list)
    }

    /// An event, and where it stands in the list.
    struct EventAnswer: Encodable {
        let event: AuditEventRecord

        func encode(to encoder: any Encoder) throws { try event.encode(to: encoder) }
    }

    @Sendable func list(_ request: Request, context: AdminRequestContext) async throws -> ListAnswer<EventAnswer> {
        let names = ["user", "kind", "actor", "since", "until"]
        let query = try QueryParameters(request, known: ListPage.parameters.union(names))
        let filter = AuditFilter(
            user: try query.value("user", UserID.init), kinds: try query.value("kind") { [$0] },
            actor: try query.value("actor", AuditActorFilter.init),
            since: try query.value("since", Instant.init(rfc3339:)),
            until: try query.value("until", Instant.init(rfc3339:)))
        let text = names.map { query[$0] ?? "" }.joined(separator: " ")
        let page = try ListPage(query, of: "audit-events \(text)", context, keys: keys)
        let events = try await flow.events(filter, after: page.cursor, limit: page.readLimit, in: context.scope)
        return page.answer(events, position: { ($0.createdAt, $0.id.uuid) }, EventAnswer.init)
    }
}
