import GatepostFlows
import GatepostModel
import GatepostOutbox
import TestSupport

/// What admins do with messages that are owed or have ended.
extension World {
    /// How many of the newest messages the steps choose among.
    static let messagesInView = 60

    private var wish: DeliveryRequest { DeliveryRequest(request, note: nil) }

    /// A message that fits, once the model knows all that has been written.
    private func message(_ fits: (MessageModel) -> Bool) async throws -> (SimulatedApp, MessageModel)? {
        try await readWitness()
        guard let message = chosen(messages.newest(Self.messagesInView).filter(fits)),
            let app = apps.first(where: { $0.id == message.app })
        else { return nil }
        return (app, message)
    }

    /// Compares what an admin's deed at a message came to with what it must, and counts its events.
    private func note(
        _ outcome: AdminOutcome<MessageID>, isAllowed: Bool, changes: Bool, _ event: String, in app: SimulatedApp
    ) {
        switch outcome {
        case .done:
            if !isAllowed { differ("\(event) was allowed") }
            if changes { app.count(event) }
        case .refused(let refusal):
            app.count("request.refused")
            if isAllowed { differ("\(event) was refused: \(refusal.code)") }
        }
    }

    func cancelMessage() async throws -> Bool {
        guard let (app, message) = try await message({ !$0.hasEnded || oneIn(8) }) else { return false }
        let isOwed = !message.hasEnded
        let outcome = try await app.flows.admin.deliveries.cancel(message.id, for: wish, in: app.scope)
        let isAllowed = message.isForSomebody && (isOwed || message.outcome == "cancelled")
        note(outcome, isAllowed: isAllowed, changes: isOwed, "message.cancelled", in: app)
        if isAllowed, isOwed { message.end("cancelled", at: now) }
        return true
    }

    func holdMessage() async throws -> Bool {
        guard let (app, message) = try await message({ !$0.hasEnded || oneIn(8) }) else { return false }
        let outcome = try await app.flows.admin.deliveries.hold(message.id, for: wish, in: app.scope)
        let isAllowed = message.isForSomebody && !message.hasEnded
        note(outcome, isAllowed: isAllowed, changes: !message.isHeld, "message.held", in: app)
        if isAllowed { message.isHeld = true }
        return true
    }

    func releaseMessage() async throws -> Bool {
        try await readWitness()
        let held = try await message { $0.isHeld && !$0.hasEnded }
        guard let (app, message) = held else { return false }
        let outcome = try await app.flows.admin.deliveries.release(message.id, for: wish, in: app.scope)
        note(outcome, isAllowed: true, changes: true, "message.released", in: app)
        message.isHeld = false
        return true
    }

    func resendMessage() async throws -> Bool {
        guard let (app, message) = try await message({ $0.hasEnded }) else { return false }
        let waits = messages.replays(of: message.id).contains { !$0.hasEnded }
        let outcome = try await app.flows.admin.deliveries.resend(message.id, for: wish, in: app.scope)
        note(outcome, isAllowed: message.isForSomebody, changes: !waits, "message.resent", in: app)
        return true
    }

    func redriveMessage() async throws -> Bool {
        guard let (app, message) = try await message({ $0.hasEnded }) else { return false }
        let replays = messages.replays(of: message.id)
        let waits = replays.contains { !$0.hasEnded }
        let outcome = try await app.flows.admin.deliveries.redrive(message.id, for: wish, in: app.scope)
        let isAllowed = message.isForSomebody && (waits || (message.hasFailed && replays.isEmpty))
        note(outcome, isAllowed: isAllowed, changes: !waits, "message.redriven", in: app)
        return true
    }

    func redriveAll() async throws -> Bool {
        let app = app
        var filter = LedgerFilter()
        filter.since = now - .hours(2)
        let outcome = try await app.flows.admin.deliveries.redriveAll(filter, for: wish, in: app.scope)
        guard case .done(let redriven) = outcome else {
            differ("a redrive of all was refused")
            return true
        }
        app.count("message.redriven", redriven.count)
        return true
    }
}
