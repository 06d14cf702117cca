import ArgumentParser
import GatepostModel

/// What `gatepost dev --settings` prints: the settings with which other commands reach a `gatepost dev` that runs.
struct DevSettings {
    private let all: [(setting: Setting, value: String)]

    /// Reads them from the folder of its data; throws a usage error where nothing runs there.
    init(_ folder: DevFolder) throws {
        guard let url = folder.runningURL, let keys = folder.knownKeys else {
            throw ValidationError("no gatepost dev runs on these data; name their folder by --data")
        }
        all = [
            (.databaseURL, url.revealed), (.keyEncryptionKeys, keys.revealed),
            (.privateDestinations, DevFolder.privateDestinations.joined(separator: ",")),
        ]
    }

    /// One line for a shell; nothing in a value ends its quotes: each is base 64, a network, or percent-encoded.
    var line: String {
        "export " + all.map { "\($0.setting.environmentName)='\($0.value)'" }.joined(separator: " ")
    }
}
