using System.Globalization;
using System.Net.Sockets;
using RaftMq.Cli.Admin;
using RaftMq.Kafka.Wire.Client;

namespace RaftMq.Cli.Brokers;

/// <summary>
/// What a command that waits for its nodes says when none of them answers its first try. Nodes that are away look like an address that was mistyped,
/// so it is told at once, with what is waited for; what no wait heals is not waited for.
/// </summary>
/// <param name="timeLimit">Of the wait; infinite where it has none.</param>
/// <param name="warn">Takes the sentence.</param>
internal sealed class FirstContact(TimeSpan timeLimit, Func<string, Task> warn)
{
    private bool told;

    /// <summary>False: every address is one of something else, or none at all.</summary>
    public async Task<bool> MayHealAsync(KafkaConnectionException wrong, CancellationToken cancellation)
    {
        if (told || !wrong.NothingAnswered)
        {
            return true;
        }

        told = true;
        KafkaEndpoint[] open = [.. wrong.Tried.Where(one => MayHeal(one.Value)).Select(one => one.Key)];

        // What refuses the connection speaks nothing.
        IReadOnlyList<KafkaEndpoint> http = await PortProbe.HttpAtAsync(
            open.Where(address => wrong.Tried[address].InnerException is not SocketException), cancellation);
        KafkaEndpoint[] hopeful = [.. open.Except(http)];
        if (hopeful.Length == 0)
        {
            return false;
        }

        string limit = timeLimit == Timeout.InfiniteTimeSpan
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $" up to {timeLimit.TotalSeconds:0.#} s");
        string whom = hopeful.Length < wrong.Tried.Count ? string.Join(" or ", hopeful) : hopeful.Length == 1 ? "it" : "one of them";
        await warn($"{wrong.Message}; waiting{limit} for {whom}.{PortProbe.HttpSentence(http)}");
        return true;
    }

    /// <summary>
    /// A name that nobody knows, or text that is no address, stays so. A name service that does not answer may do so later. What has no code of its
    /// own is a name that is too long.
    /// </summary>
    internal static bool MayHeal(KafkaConnectionException wrong) => wrong.InnerException switch
    {
        SocketException socket => socket.SocketErrorCode is not (SocketError.HostNotFound or SocketError.NoData or SocketError.SocketError),
        ArgumentException => false,
        _ => true,
    };
}
