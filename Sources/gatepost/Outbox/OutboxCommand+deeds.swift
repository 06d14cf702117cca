import ArgumentParser
import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore

/// What may be done to one message, as an operator.
private enum Deed {
    case cancel, hold, release, resend, redrive

    func run(_ app: String, _ message: String, note: String?, asJSON: Bool) async throws {
        guard let id = MessageID(message) else { throw ValidationError("\(message) is not the id of a message") }
        try await Wiring.withOperator(.database) { wiring in
            let scope = try await wiring.scope(of: app)
            let flow = wiring.deliveryFlow()
            switch try await carryOut(flow, id, DeliveryRequest(byOperator: note), scope) {
            case .refused(let refusal):
                throw ValidationError(refusal.detail ?? "there is no message \(id) in this app")
            case .done(let known):
                guard let history = try await flow.delivery(known, in: scope) else { return }
                if asJSON { return try Terminal.sayJSON(history.entry) }
                Terminal.say("\(history.entry.id)  \(history.entry.kind)  \(history.entry.state)")
            }
        }
    }

    private func carryOut(
        _ flow: DeliveryFlow, _ id: MessageID, _ request: DeliveryRequest, _ scope: AppScope
    ) async throws -> AdminOutcome<MessageID> {
        switch self {
        case .cancel: try await flow.cancel(id, for: request, in: scope)
        case .hold: try await flow.hold(id, for: request, in: scope)
        case .release: try await flow.release(id, for: request, in: scope)
        case .resend: try await flow.resend(id, for: request, in: scope)
        case .redrive: try await flow.redrive(id, for: request, in: scope)
        }
    }
}

/// The message that is meant, and why something is done to it.
struct DeedOptions: ParsableArguments {
    @Argument(help: "The app's id.")
    var app: String
    @Argument(help: "The message's id.")
    var message: String
    @Option(help: "Why, for the audit trail.")
    var note: String?
    @OptionGroup var output: OutputOptions
}

extension OutboxCommand {
    /// The command `gatepost outbox cancel APP MESSAGE`.
    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take back a message that is still owed.")

        @OptionGroup var options: DeedOptions

        func run() async throws {
            try await Deed.cancel.run(
                options.app, options.message, note: options.note, asJSON: options.output.json)
        }
    }

    /// The command `gatepost outbox hold APP MESSAGE`.
    struct Hold: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Keep a message that is still owed from being sent until it is released.")

        @OptionGroup var options: DeedOptions

        func run() async throws {
            try await Deed.hold.run(options.app, options.message, note: options.note, asJSON: options.output.json)
        }
    }

    /// The command `gatepost outbox release APP MESSAGE`.
    struct Release: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let a held message be sent.")

        @OptionGroup var options: DeedOptions

        func run() async throws {
            try await Deed.release.run(
                options.app, options.message, note: options.note, asJSON: options.output.json)
        }
    }

    /// The command `gatepost outbox resend APP MESSAGE`.
    struct Resend: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Owe a message anew that has ended, whatever its end.")

        @OptionGroup var options: DeedOptions

        func run() async throws {
            try await Deed.resend.run(
                options.app, options.message, note: options.note, asJSON: options.output.json)
        }
    }

    /// The command `gatepost outbox redrive APP MESSAGE`, or without a message for all that failed within bounds.
    struct Redrive: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Owe anew what failed.",
            discussion: """
                One message, or with --since and --until all that were rejected, exhausted, expired or indeterminate
                within these bounds; one call takes \(LedgerLimits.redrivenMax) and says whether there are more.
                """)

        @Argument(help: "The app's id.")
        var app: String
        @Argument(help: "The message's id; leave it out to redrive by --since and --until.")
        var message: String?
        @Option(help: "Why, for the audit trail.")
        var note: String?
        @OptionGroup var messages: MessageOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            if let message {
                return try await Deed.redrive.run(app, message, note: note, asJSON: output.json)
            }
            let filter = try messages.filter()
            guard let since = filter.since, let until = filter.until, since < until else {
                throw ValidationError("name a message, or --since and a later --until")
            }
            if let state = filter.state, MessageEnd(rawValue: state.rawValue)?.isFailure != true {
                throw ValidationError("only what failed is redriven, not what is \(state.rawValue)")
            }
            try await Wiring.withOperator(.database) { wiring in
                let scope = try await wiring.scope(of: app)
                let outcome = try await wiring.deliveryFlow().redriveAll(
                    filter, for: DeliveryRequest(byOperator: note), in: scope)
                guard case .done(let redriven) = outcome else { throw ValidationError("this cannot be redriven") }
                if output.json { return try Terminal.sayJSON(Answer(redriven)) }
                Terminal.say("\(redriven.count) redriven\(redriven.hasMore ? "; there are more" : "")")
            }
        }

        private struct Answer: Encodable {
            let redriven: Int
            let hasMore: Bool

            init(_ outcome: DeliveryFlow.Redriven) {
                (redriven, hasMore) = (outcome.count, outcome.hasMore)
            }
        }
    }
}
