import ArgumentParser
import Configuration
import Hummingbird
import Logging
import ServiceLifecycle

@main struct Gatepost: AsyncParsableCommand {
}
