using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using System.Globalization;

namespace RaftMq.Cli;

/// <summary>What is wrong with a command line, as one sentence: the parser's own answer is the whole help.</summary>
internal static class CommandLineFault
{
    /// <summary>The beginning of a sentence; null when the line can be run.</summary>
    public static string? Of(ParseResult parsed)
    {
        CommandResult command = parsed.CommandResult;
        if (parsed.Errors.Count == 0 && parsed.Action != command.Command.Action)
        {
            // The help, or the version, was asked for: but not that of a command that there is not.
            return parsed.UnmatchedTokens.Count > 0 && command.Command.Subcommands.Count > 0 ? Unknown(command, parsed.UnmatchedTokens[0]) : null;
        }

        if (OptionTakenForArgument(parsed) is { } option)
        {
            return Unknown(command, option);
        }

        if (parsed.Errors.Count == 0)
        {
            return null;
        }

        if (parsed.UnmatchedTokens.Count > 0)
        {
            return Unknown(command, parsed.UnmatchedTokens[0]);
        }

        return command.Command.Subcommands.Count > 0
            ? $"{NameOf(command)} needs a command: {Listed(command.Command.Subcommands.Select(known => known.Name))}"
            : Told(command, parsed.Errors[0]);
    }

    /// <summary>The sentence with where to read on.</summary>
    public static string Sentence(ParseResult parsed, string fault) => $"{fault.TrimEnd('.')}; see {NameOf(parsed.CommandResult)} --help.";

    private static string NameOf(CommandResult command) =>
        command.Parent is CommandResult outer ? $"{NameOf(outer)} {command.Command.Name}" : "raftmq";

    /// <summary>
    /// The parser gives an option that it does not know to the next argument that is free, and a topic may well be called --jsn: only
    /// behind -- it is meant.
    /// </summary>
    private static string? OptionTakenForArgument(ParseResult parsed)
    {
        HashSet<Token> arguments = new(
            parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(result => result.Tokens), ReferenceEqualityComparer.Instance);
        return parsed.Tokens
            .TakeWhile(token => token.Type != TokenType.DoubleDash)
            .FirstOrDefault(token => token.Value.Length > 1 && token.Value.StartsWith('-') && arguments.Contains(token))?.Value;
    }

    private static string Unknown(CommandResult command, string word)
    {
        string name = NameOf(command);
        if (word.StartsWith('-'))
        {
            string option = word.Split('=', ':')[0];
            return $"{name} has no option {option}{Nearest(option, command.Command.Options.Where(known => !known.Hidden).Select(known => known.Name))}";
        }

        return command.Command.Subcommands.Count > 0
            ? $"{name} has no command '{word}'{Nearest(word, command.Command.Subcommands.Select(known => known.Name))}"
            : $"{name} has no place for '{word}'";
    }

    private static string Nearest(string typed, IEnumerable<string> words) =>
        NearestWord.Of(typed, words) is { } nearest ? $", the nearest is {nearest}" : "";

    private static string Told(CommandResult command, ParseError error)
    {
        SymbolResult? about = error.SymbolResult is ArgumentResult { Parent: OptionResult owner } ? owner : error.SymbolResult;
        return about switch
        {
            OptionResult { Implicit: true } missing => $"{NameOf(command)} lacks the option {missing.Option.Name}",
            OptionResult option => Told(option, error),
            ArgumentResult { Tokens.Count: 0 } argument => $"{NameOf(command)} lacks its argument <{argument.Argument.Name}>",
            _ => error.Message,
        };
    }

    private static string Told(OptionResult result, ParseError error)
    {
        Option option = result.Option;
        if (result.Tokens.Count == 0)
        {
            return $"{option.Name} lacks its value";
        }

        if (result.Tokens.Count > option.Arity.MaximumNumberOfValues)
        {
            return $"{option.Name} is given more than once";
        }

        string value = result.Tokens[^1].Value;
        string[] possible = [.. option.GetCompletions(CompletionContext.Empty).Select(known => known.Label.ToLowerInvariant())];
        if (possible.Length > 0 && !possible.Contains(value, StringComparer.OrdinalIgnoreCase))
        {
            return $"{option.Name} takes {Listed(possible)}, not '{value}'";
        }

        bool wantsNumber = option.ValueType != typeof(string) && possible.Length == 0;
        return !wantsNumber ? error.Message
            : !decimal.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out _) ? $"{option.Name} takes a number, not '{value}'"
            : IsOurs(option, error) ? error.Message
            : $"{option.Name} does not take the number {value}";
    }

    /// <summary>What a validator of ours says begins with the option.</summary>
    private static bool IsOurs(Option option, ParseError error) => error.Message.StartsWith(option.Name, StringComparison.Ordinal);

    private static string Listed(IEnumerable<string> words)
    {
        string[] all = [.. words];
        return all.Length == 1 ? all[0] : $"{string.Join(", ", all[..^1])} or {all[^1]}";
    }
}
