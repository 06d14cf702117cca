import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore
import HTTPTypes
import Hummingbird

/// The delivery ledger: `/v1/admin/apps/{app}/deliveries`, one message, and what may be done to it.
struct AdminDeliveryRoutes: Sendable {
    private typealias Deed =
        @Sendable (MessageID, DeliveryRequest, AppScope) async throws -> AdminOutcome<MessageID>

    let flow: DeliveryFlow
    let keys: KeyRing

    func mount(_ ofApp: AdminGroup) {
        ofApp.on(.get, "/deliveries", .deliveriesRead, use: list)
        ofApp.on(.get, "/deliveries/{message}", .deliveriesRead, use: show)
        ofApp.on(.post, "/deliveries/redrive", .deliveriesWrite, use: redriveAll)
        ofApp.on(.post, "/deliveries/{message}/cancel", .deliveriesWrite, use: cancel)
        ofApp.on(.post, "/deliveries/{message}/hold", .deliveriesWrite, use: hold)
        ofApp.on(.post, "/deliveries/{message}/release", .deliveriesWrite, use: release)
        ofApp.on(.post, "/deliveries/{message}/resend", .deliveriesWrite, use: resend)
        ofApp.on(.post, "/deliveries/{message}/redrive", .deliveriesWrite, use: redrive)
    }

    @Sendable func list(
        _ request: Request, context: AdminRequestContext
    ) async throws -> ListAnswer<AdminDeliveryAnswers.Message> {
        let known = ListPage.parameters.union(["user", "address", "kind", "state", "since", "until"])
        let query = try QueryParameters(request, known: known)
        var filter = LedgerFilter(state: try query.value("state", LedgerState.init(rawValue:)))
        filter.user = try query.value("user", UserID.init)
        filter.address = try query.value("address") { text in
            EmailAddress(text).map { LedgerAddress($0, in: context.scope.appID, keys: keys) }
        }
        filter.kind = query["kind"].map(MessageKind.init(rawValue:))
        filter.since = try query.value("since", Instant.init(rfc3339:))
        filter.until = try query.value("until", Instant.init(rfc3339:))
        let page = try ListPage(query, of: "deliveries \(filter.text)", context, keys: keys)
        let entries = try await flow.deliveries(
            filter, after: page.cursor, limit: page.readLimit, in: context.scope)
        return page.answer(
            entries, position: { ($0.createdAt, $0.id.uuid) }, AdminDeliveryAnswers.Message.init)
    }

    @Sendable func show(
        _ request: Request, context: AdminRequestContext
    ) async throws -> AdminDeliveryAnswers.Detail {
        guard let history = try await flow.delivery(try context.id("message"), in: context.scope) else {
            throw Problem(.notFound)
        }
        return AdminDeliveryAnswers.Detail(history)
    }

    @Sendable func cancel(
        _ request: Request, context: AdminRequestContext
    ) async throws -> AdminDeliveryAnswers.Message {
        try await answer(request, context) { try await flow.cancel($0, for: $1, in: $2) }
    }

    @Sendable func hold(
        _ request: Request, context: AdminRequestContext
    ) async throws -> AdminDeliveryAnswers.Message {
        try await answer(request, context) { try await flow.hold($0, for: $1, in: $2) }
    }

    @Sendable func release(
        _ request: Request, context: AdminRequestContext
    ) async throws -> AdminDeliveryAnswers.Message {
        try await answer(request, context) { try await flow.release($0, for: $1, in: $2) }
    }

    @Sendable func resend(
        _ request: Request, context: AdminRequestContext
    ) async throws -> EditedResponse<AdminDeliveryAnswers.Message> {
        let message = try await answer(request, context) { try await flow.resend($0, for: $1, in: $2) }
        return EditedResponse(status: .accepted, response: message)
    }

    @Sendable func redrive(
        _ request: Request, context: AdminRequestContext
    ) async throws -> EditedResponse<AdminDeliveryAnswers.Message> {
        let message = try await answer(request, context) { try await flow.redrive($0, for: $1, in: $2) }
        return EditedResponse(status: .accepted, response: message)
    }

    struct RedriveRequest: JSONBody {
        let since: Instant
        let until: Instant
        let kind: String?
        let state: String?
        let note: String?

        enum CodingKeys: CodingKey, CaseIterable {
            case since, until, kind, state, note
        }

        /// What is to be owed anew; throws a `Problem` for a state that is no failure.
        func filter() throws -> LedgerFilter {
            guard since < until else { throw Problem(.invalidRequest, detail: "since lies before until.") }
            var filter = LedgerFilter()
            if let state {
                guard MessageEnd(rawValue: state)?.isFailure == true else {
                    throw Problem(.invalidRequest, detail: "state has an invalid value.")
                }
                filter.state = LedgerState(rawValue: state)
            }
            filter.kind = kind.map(MessageKind.init(rawValue:))
            (filter.since, filter.until) = (since, until)
            return filter
        }
    }

    @Sendable func redriveAll(
        _ request: Request, context: AdminRequestContext
    ) async throws -> EditedResponse<AdminDeliveryAnswers.Redriven> {
        let (body, admin) = try await context.write(request, RedriveRequest.self)
        let asked = DeliveryRequest(admin, note: try AdminUserRoutes.checked(body.note))
        switch try await flow.redriveAll(try body.filter(), for: asked, in: context.scope) {
        case .done(let redriven):
            return EditedResponse(
                status: .accepted,
                response: AdminDeliveryAnswers.Redriven(redriven: redriven.count, hasMore: redriven.hasMore))
        case .refused(let refusal):
            throw Problem(refusal)
        }
    }

    private func answer(
        _ request: Request, _ context: AdminRequestContext, _ deed: Deed
    ) async throws -> AdminDeliveryAnswers.Message {
        let (body, admin) = try await context.write(request, AdminUserRoutes.NoteRequest.self)
        let asked = DeliveryRequest(admin, note: try AdminUserRoutes.checked(body.note))
        switch try await deed(try context.id("message"), asked, context.scope) {
        case .done(let id):
            guard let history = try await flow.delivery(id, in: context.scope) else { throw Problem(.notFound) }
            return AdminDeliveryAnswers.Message(history.entry)
        case .refused(let refusal):
            throw Problem(refusal)
        }
    }
}
