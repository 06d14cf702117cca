import GatepostModel
import GatepostOutbox

/// Whose turn it is in a lane: the apps that have ready rows, as far as this worker knows.
///
/// Apps take turns, so an app with a million queued messages does not delay another app's sign-in mail. The list is
/// a hint; the table is the truth, and a full look mends what the list missed.
struct TurnList {
    /// How many apps are kept; further ones are found by the next full look.
    static let appsMax = 100_000
    /// How far a floor lies before the last row claimed: rows of slower transactions may still appear there.
    static let floorMargin: Duration = .seconds(2)

    private var floors: [AppID: Instant] = [:]
    /// Apps in the order of their turns, from `head` on; those no longer in `floors` are skipped.
    private var order: [AppID] = []
    private var head = 0

    var isEmpty: Bool { floors.isEmpty }
    var count: Int { floors.count }

    /// Adds apps at the end; one that is listed already keeps its place and the earlier floor.
    mutating func add(_ turns: [AppTurn]) {
        for turn in turns {
            if let floor = floors[turn.app] {
                floors[turn.app] = min(floor, turn.floor)
            } else if floors.count < Self.appsMax {
                floors[turn.app] = turn.floor
                order.append(turn.app)
            }
        }
    }

    /// Takes the apps whose turn it is off the list.
    mutating func take(_ countMax: Int) -> [AppTurn] {
        var turns: [AppTurn] = []
        while turns.count < countMax, head < order.count {
            let app = order[head]
            head += 1
            if let floor = floors.removeValue(forKey: app) { turns.append(AppTurn(app: app, floor: floor)) }
        }
        if head > 1000, head * 2 > order.count {
            order.removeFirst(head)
            head = 0
        }
        return turns
    }

    /// Takes note of what a claim got: an app that gave as many rows as it was asked for may have more.
    ///
    /// It goes to the end, with a floor just before its last row; one that gave fewer has no more.
    mutating func note(_ turns: [AppTurn], gave readyTimes: [AppID: [Instant]], of rowsPerApp: Int) {
        for turn in turns {
            guard let times = readyTimes[turn.app], times.count >= rowsPerApp, let last = times.max() else { continue }
            add([AppTurn(app: turn.app, floor: max(turn.floor, last - Self.floorMargin))])
        }
    }
}
