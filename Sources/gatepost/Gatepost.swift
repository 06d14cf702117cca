import ArgumentParser
import GatepostModel

/// The program's commands; each is a thin file over a flow, a worker or a list.
struct Gatepost: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gatepost",
        abstract: "The auth backend of a company that runs several products.",
        discussion: """
            Start here:
              gatepost dev                 everything on this machine, to try it out
              gatepost migrate             bring a database up to date
              gatepost serve               answer HTTP; any number of them
              gatepost work                deliver what is owed and run jobs; any number of them

            Settings are environment variables that begin with GATEPOST_; docs/operating.md lists them. An
            unknown one is an error. Commands that print data, or say what they did, take --json.

            Exit codes: 0 done, 1 failed, 64 the command line or a setting is wrong.
            """,
        subcommands: [
            DevCommand.self, ServeCommand.self, WorkCommand.self, MigrateCommand.self, AppsCommand.self,
            ClientsCommand.self, UsersCommand.self, TokensCommand.self, WebhooksCommand.self, JobsCommand.self,
            KeysCommand.self, OutboxCommand.self, AdminsCommand.self,
        ])
}
