import ArgumentParser
import GatepostFlows
import GatepostModel
import GatepostStore

extension AppsCommand {
    /// The command `gatepost apps limits APP`.
    struct Limits: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show an app's limits on tries and mails, or change them.",
            discussion: """
                What bounds the tries at one address is no setting; see docs/threat-model.md. Raise those of one \
                network where an app's own servers ask for everybody.
                """)

        @Argument(help: "The app's id.")
        var app: String
        @Option(help: "Wrong tries from one network in a quarter of an hour, 20 to 1,000,000.")
        var clientTries: Int64?
        @Option(help: "Tries from all networks in a quarter of an hour, 1,000 to 1,000,000.")
        var tries: Int64?
        @Option(help: "Mails to one address in an hour, 1 to 100.")
        var recipientMails: Int64?
        @Option(help: "Mails that one network causes in an hour, 5 to 1,000,000.")
        var clientMails: Int64?
        @Option(help: "Mails in an hour in all, 10 to 1,000,000.")
        var mails: Int64?
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var change = AppSettings()
            (change.clientTriesPerQuarterHour, change.triesPerQuarterHour) = (clientTries, tries)
            change.recipientMailsPerHour = recipientMails
            (change.clientMailsPerHour, change.mailsPerHour) = (clientMails, mails)
            let wanted = change
            try await Wiring.withOperator(wanted == AppSettings() ? .database : .keys) { wiring in
                let scope = try await wiring.scope(of: app)
                if wanted != AppSettings() {
                    do {
                        try await wiring.appFlow().setLimits(wanted, in: scope)
                    } catch let error as AppFlow.SettingOutOfBounds {
                        throw ValidationError("\(error.field) is out of its bounds; see --help")
                    }
                }
                try say(scope.settings, wanted)
            }
        }

        private func say(_ settings: AppSettings, _ change: AppSettings) throws {
            let limits = Shown(
                clientTries: change.clientTriesPerQuarterHour ?? Int64(settings.clientTriesMax),
                tries: change.triesPerQuarterHour ?? Int64(settings.appTriesMax),
                recipientMails: change.recipientMailsPerHour ?? Int64(settings.recipientMailsMax),
                clientMails: change.clientMailsPerHour ?? Int64(settings.clientMailsMax),
                mails: change.mailsPerHour ?? Int64(settings.appMailsMax))
            if output.json { return try Terminal.sayJSON(limits) }
            Terminal.say("tries  \(limits.tries) a quarter of an hour, \(limits.clientTries) from one network")
            Terminal.say(
                "mails  \(limits.mails) an hour, \(limits.clientMails) from one network, "
                    + "\(limits.recipientMails) to one address")
        }

        private struct Shown: Encodable {
            let clientTries: Int64
            let tries: Int64
            let recipientMails: Int64
            let clientMails: Int64
            let mails: Int64
        }
    }
}
