namespace RaftMq.Cli;

/// <summary>Where records come from and go to as bytes. Sentences and tables are text, and go through the writers of the command line.</summary>
/// <param name="Input">Opens standard input.</param>
/// <param name="Output">Opens standard output.</param>
internal sealed record StandardStreams(Func<Stream> Input, Func<Stream> Output)
{
    public static StandardStreams OfProcess { get; } = new(Console.OpenStandardInput, Console.OpenStandardOutput);
}
