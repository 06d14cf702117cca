import Foundation
import GatepostModel
import Passwords

extension PasswordHasher {
    /// As many threads as the machine has cores, unless an operator says otherwise.
    convenience init(_ configuration: Configuration) {
        self.init(
            threads: configuration.passwordHashThreads ?? ProcessInfo.processInfo.activeProcessorCount,
            queueMax: configuration.passwordHashQueue)
    }
}
