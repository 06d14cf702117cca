import ArgumentParser
import Foundation
import GatepostAPI
import NIOPosix

/// The entry point: runs the command that the arguments name, on the executor that suits it.
@main
enum Program {
    static func main() async {
        do {
            var command = try Gatepost.parseAsRoot()
            if let asynchronous = command as? any AsyncParsableCommand {
                try await run(asynchronous)
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

    private static func run(_ command: any AsyncParsableCommand) async throws {
        let executor = usesEventLoops(command) ? EventLoopExecutor(MultiThreadedEventLoopGroup.singleton) : nil
        try await withTaskExecutorPreference(executor) {
            var command = command
            try await command.run()
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
