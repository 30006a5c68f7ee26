using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace RaftMq.Cli;

/// <summary>The help, and behind it what its options do not say, of the commands that have such.</summary>
/// <param name="help">Writes the help.</param>
/// <param name="explanations">By the name of the command.</param>
internal sealed class ExplainedHelp(HelpAction help, IReadOnlyDictionary<string, string> explanations) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => help.ClearsParseErrors;

    public override int Invoke(ParseResult parseResult)
    {
        int code = help.Invoke(parseResult);
        if (explanations.TryGetValue(parseResult.CommandResult.Command.Name, out string? explanation))
        {
            parseResult.InvocationConfiguration.Output.WriteLine(explanation);
        }

        return code;
    }
}
