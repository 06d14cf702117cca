import ArgumentParser
import Foundation

/// The entry point: chooses the executor, then runs the command that the arguments name.
@main
enum Program {
    static func main() async {
        // Before the first task: the network's event loops run everything, which saves two thread hops a request.
        if ProcessInfo.processInfo.environment[Setting.eventLoopExecutor.environmentName]?.lowercased() != "false" {
            installEventLoopExecutor()
        }
        do {
            var command = try Gatepost.parseAsRoot()
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
}
