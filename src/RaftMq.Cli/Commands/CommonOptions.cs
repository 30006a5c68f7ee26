using System.CommandLine;
using System.Globalization;
using RaftMq.Cli.Admin;
using RaftMq.Kafka.Wire.Client;

namespace RaftMq.Cli.Commands;

/// <summary>Options that several commands have, so that they are called and mean the same everywhere.</summary>
internal static class CommonOptions
{
    private const string BootstrapName = "--bootstrap";

    /// <summary>The first nodes of <c>raftmq up</c>: one may be down.</summary>
    public const string LocalBootstrap = "localhost:9092,localhost:9093,localhost:9094";
    public const string LocalAdmin = "localhost:8080,localhost:8090,localhost:8100";

    /// <summary>A separator as it is typed: \t is a tab, as with kcat.</summary>
    /// <exception cref="CommandFailedException">It is empty.</exception>
    public static string? Separator(string? typed) => typed is ""
        ? throw new CommandFailedException(ExitCodes.Usage, "--key-separator is empty.")
        : typed?.Replace("\\t", "\t", StringComparison.Ordinal);

    public static Option<bool> JsonOutput() => new("--json") { Description = "Output for programs: one JSON document." };

    public static Option<string> Bootstrap() => new(BootstrapName)
    {
        Description = "Kafka addresses of some brokers, host:port with commas.",
        DefaultValueFactory = _ => LocalBootstrap,
    };

    public static Option<string> Admin() => new("--admin")
    {
        Description = "HTTP addresses of some nodes, host:port with commas.",
        DefaultValueFactory = _ => LocalAdmin,
    };

    public static KafkaConnectionOptions Connections { get; } = new() { ClientId = "raftmq-cli" };

    public static Argument<string> Topic() => new("topic") { Description = "Name of the topic." };

    /// <summary>Refuses numbers outside; what is no number at all the parser refuses.</summary>
    public static void Between(Option option, int min, int max) => option.Validators.Add(result =>
    {
        if (result.Tokens.Count == 1
            && int.TryParse(result.Tokens[0].Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out int value)
            && (value < min || value > max))
        {
            result.AddError($"{option.Name} is between {min} and {max}.");
        }
    });

    /// <inheritdoc cref="Between"/>
    public static void AtLeast(Option option, int min) => option.Validators.Add(result =>
    {
        if (result.Tokens.Count == 1
            && long.TryParse(result.Tokens[0].Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out long value)
            && value < min)
        {
            result.AddError($"{option.Name} is at least {min}.");
        }
    });

    /// <exception cref="CommandFailedException">Not a list of addresses.</exception>
    public static IReadOnlyList<KafkaEndpoint> Endpoints(string text) => KafkaEndpoint.TryParseList(text, out IReadOnlyList<KafkaEndpoint> parsed)
        ? parsed
        : throw new CommandFailedException(
            ExitCodes.Usage,
            text.Contains('/', StringComparison.Ordinal)
                ? $"'{text}' is not a list of host:port: Kafka addresses have neither a scheme as http:// nor a path."
                : $"'{text}' is not a list of host:port.");

    public static KafkaCluster Cluster(string bootstrap) => Cluster(bootstrap, Connections);

    public static KafkaCluster Cluster(string bootstrap, KafkaConnectionOptions connections) => new(Endpoints(bootstrap), connections);

    /// <summary>
    /// What to say where no broker was found; empty where none of the addresses is known to speak HTTP. A broker that answered is not asked: it
    /// would warn of a client of another protocol.
    /// </summary>
    public static async Task<string> HttpAtBootstrapAsync(ParseResult parsed, KafkaConnectionException unreachable)
    {
        string sentence = unreachable.NothingAnswered
            && parsed.CommandResult.Command.Options.OfType<Option<string>>().FirstOrDefault(option => option.Name == BootstrapName) is { } option
            && KafkaEndpoint.TryParseList(parsed.GetValue(option)!, out IReadOnlyList<KafkaEndpoint> addresses)
            ? PortProbe.HttpSentence(await PortProbe.HttpAtAsync(addresses, CancellationToken.None))
            : "";
        return sentence.Length == 0 ? "" : $".{sentence}";
    }

    public static AdminClient AdminOf(string text) => new(AdminClient.Parse(text));
}
