import ArgumentParser
import Foundation

/// The entry point: runs the command that the arguments name, on the executor that suits it.
@main
enum Program {
    static func main() async {
        do {
            var command = try Gatepost.parseAsRoot()
            // Before the first task.
            if usesEventLoops(command) { installEventLoopExecutor() }
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let error as UnusableSetting {
            Terminal.complain(error.description)
            exit(ExitCode.validationFailure.rawValue)
        } catch {
            Gatepost.exit(withError: error)
        }
    }

    /// The network's event loops run everything where requests come in, which saves two thread hops a request.
    ///
    /// `gatepost work` has few of them and is woken by threads of its own, which a loop hears of by a system call:
    /// there, mails take a tenth longer that way.
    private static func usesEventLoops(_ command: any ParsableCommand) -> Bool {
        switch ProcessInfo.processInfo.environment[Setting.eventLoopExecutor.environmentName]?.lowercased() {
        case "false": false
        case nil, "": !(command is WorkCommand)
        default: true
        }
    }
}
