import ArgumentParser
import Foundation
import GatepostClient
import GatepostDelivery
import GatepostFlows
import GatepostModel
import GatepostStore

/// `gatepost webhooks`: an app's notices, received on a developer's machine.
struct WebhooksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "webhooks", abstract: "Receive an app's notices while you write what takes them.",
        subcommands: [Listen.self])

    /// The command `gatepost webhooks listen`.
    struct Listen: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Receive notices on this machine, verify each, and forward it.",
            discussion: """
                With an app, an endpoint is registered for as long as this runs, and its secret printed: give it to
                what takes the notices, which verifies them once more. Gatepost calls this machine where its setting
                GATEPOST_PRIVATE_DESTINATIONS allows it, as that of gatepost dev does, or at --public-url, if
                something leads from there to --port.

                Without an app, notices of an endpoint that is registered already are verified by the secret in
                --secret-file; no settings are needed.

                What is forwarded is the request as it came, body and headers, and the answer goes back to Gatepost.
                A notice that is not genuine is refused and not forwarded. One line is printed for each; with --json
                standard output has one object a line, the first of which says where it listens.
                """)

        @Argument(help: "The app's id.")
        var app: String?
        @Option(help: "Where to, such as http://localhost:3000/notices.")
        var forwardTo: String
        @Option(help: "The port to listen at, on loopback; any free one unless given.")
        var port = 0
        @Option(help: "A type to be told of; may be repeated, all unless given.")
        var event: [WebhookEventType] = []
        @Option(help: "Where Gatepost reaches --port from outside, such as the address of a tunnel.")
        var publicURL: String?
        @Option(help: "A file with the secret of an endpoint that is there already, whsec_….")
        var secretFile: String?
        @OptionGroup var output: OutputOptions

        func validate() throws {
            guard (app == nil) != (secretFile == nil) else {
                throw ValidationError("name an app, or an endpoint's secret by --secret-file")
            }
            guard (0...65535).contains(port) else { throw ValidationError("--port is a number from 1 to 65535") }
            guard app != nil || (publicURL == nil && event.isEmpty) else {
                throw ValidationError("--public-url and --event go with an app")
            }
            guard ["http://", "https://"].contains(where: forwardTo.lowercased().hasPrefix) else {
                throw ValidationError("--forward-to begins with http:// or https://")
            }
        }

        func run() async throws {
            let listener = try WebhookListener(forwardingTo: forwardTo, port: port, asJSON: output.json)
            do {
                if let app {
                    try await Wiring.withOperator(.keys) { try await listen(listener, as: app, $0) }
                } else {
                    try await listener.run(verifyingBy: try Self.secret(in: secretFile ?? "")) { port in
                        try say(Opening(listening: "http://127.0.0.1:\(port)", forwardingTo: forwardTo))
                    }
                }
            } catch {
                await listener.shutdown()
                throw error
            }
            await listener.shutdown()
        }

        /// Registers an endpoint for as long as the listener runs.
        private func listen(_ listener: WebhookListener, as app: String, _ wiring: Wiring) async throws {
            let scope = try await wiring.scope(of: app)
            let flow = try wiring.adminWebhookFlow()
            let registration = Registration(flow: flow, scope: scope)
            do {
                try await listener.run(verifyingBy: nil) { port in
                    let text = publicURL ?? "http://127.0.0.1:\(port)"
                    guard let url = WebhookURL(text, allowsPrivate: flow.allowsPrivate) else {
                        throw UncallableURL(text: text)
                    }
                    let secret = try await registration.make(
                        AdminWebhookFlow.Wanted(
                            url: url, description: "gatepost webhooks listen",
                            eventTypes: event.isEmpty ? WebhookEventType.allCases : event))
                    try await listener.verify(by: secret.text.revealed)
                    var opening = Opening(listening: "http://127.0.0.1:\(port)", forwardingTo: forwardTo)
                    (opening.endpoint, opening.secret) = (await registration.endpoint, secret.text.revealed)
                    try say(opening)
                }
            } catch {
                try? await end(registration)
                throw error
            }
            try await end(registration)
        }

        private func end(_ registration: Registration) async throws {
            guard let id = try await registration.end() else { return }
            if output.json { return try Terminal.sayJSONLine(Closing(deleted: id)) }
            Terminal.say("endpoint  \(id) is deleted")
        }

        /// What is said once it listens.
        private struct Opening: Encodable {
            let listening: String
            let forwardingTo: String
            var endpoint: WebhookEndpointID?
            var secret: String?

            enum CodingKeys: String, CodingKey {
                case listening, endpoint, secret
                case forwardingTo = "forwarding_to"
            }
        }

        /// What is said at the end of an endpoint that was registered.
        private struct Closing: Encodable {
            let deleted: WebhookEndpointID
        }

        private func say(_ opening: Opening) throws {
            if output.json { return try Terminal.sayJSONLine(opening) }
            Terminal.say("listening on \(opening.listening), forwarding to \(opening.forwardingTo)")
            if let endpoint = opening.endpoint { Terminal.say("endpoint  \(endpoint)") }
            if let secret = opening.secret { Terminal.say("secret    \(secret)") }
        }

        private static func secret(in path: String) throws -> String {
            guard let bytes = FileManager.default.contents(atPath: path) else {
                throw ValidationError("\(path) cannot be read")
            }
            return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }
}

/// An endpoint that is there for a while.
private actor Registration {
    let flow: AdminWebhookFlow
    let scope: AppScope
    private(set) var endpoint: WebhookEndpointID?

    init(flow: AdminWebhookFlow, scope: AppScope) {
        (self.flow, self.scope) = (flow, scope)
    }

    func make(_ wanted: AdminWebhookFlow.Wanted) async throws -> WebhookSecret {
        let issued = try await flow.create(wanted, for: .byOperator, in: scope).value()
        endpoint = issued.endpoint.id
        return issued.secret
    }

    /// Deletes it and returns its id; what is still owed to it ends as obsolete.
    func end() async throws -> WebhookEndpointID? {
        guard let id = endpoint else { return nil }
        endpoint = nil
        return try await flow.delete(id, for: .byOperator, in: scope).value()
    }
}

/// Gatepost would not call the endpoint there.
private struct UncallableURL: Error, CustomStringConvertible {
    let text: String

    var description: String {
        "Gatepost does not call \(text): set \(Setting.privateDestinations.environmentName), here and for "
            + "gatepost work, or name a public https:// address by --public-url"
    }
}

extension WebhookEventType: ExpressibleByArgument {}
