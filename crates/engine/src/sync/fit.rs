//! Values in the form and type of a target's schema.

use identitymesh_model::{AttributeType, Value, ValueType, Values};

/// The values in the form and type that the target's schema wants; what is text in the mesh may be a number there.
pub(super) fn fit(values: Values, kind: Option<AttributeType>) -> Result<Option<Values>, String> {
    let Some(kind) = kind else { return Ok(Some(values)) };
    let list = values.into_vec();
    if !kind.multi && list.len() > 1 {
        return Err(format!("{} values for an attribute that holds one", list.len()));
    }
    let list: Vec<Value> =
        list.into_iter().map(|value| fit_one(value, kind.value)).collect::<Result<_, _>>()?;
    Ok(if kind.multi { Values::set(list) } else { list.into_iter().next().map(Values::One) })
}

fn fit_one(value: Value, kind: ValueType) -> Result<Value, String> {
    let wrong = |value: &Value| format!("{value:?} where {kind} belongs");
    Ok(match (kind, value) {
        (ValueType::String, Value::Binary(bytes)) => return Err(wrong(&Value::Binary(bytes))),
        (ValueType::String, value @ Value::Text(_)) => value,
        (ValueType::String, value) => Value::text(value.to_string()),
        (ValueType::Integer, Value::Text(text)) => {
            Value::Integer(text.trim().parse().map_err(|_| wrong(&Value::Text(text)))?)
        }
        (ValueType::Integer, Value::Boolean(truth)) => Value::Integer(i64::from(truth)),
        (ValueType::Boolean, Value::Text(text)) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Value::Boolean(true),
            "false" | "0" | "no" => Value::Boolean(false),
            _ => return Err(wrong(&Value::Text(text))),
        },
        (ValueType::Boolean, Value::Integer(number @ (0 | 1))) => Value::Boolean(number == 1),
        (ValueType::DateTime, Value::Text(text)) => {
            Value::DateTime(text.trim().parse().map_err(|_| wrong(&Value::Text(text)))?)
        }
        (ValueType::Reference, Value::Text(text)) => Value::Reference(text),
        (ValueType::Integer, value @ Value::Integer(_))
        | (ValueType::Boolean, value @ Value::Boolean(_))
        | (ValueType::DateTime, value @ Value::DateTime(_))
        | (ValueType::Binary, value @ Value::Binary(_))
        | (ValueType::Reference, value @ Value::Reference(_)) => value,
        (_, value) => return Err(wrong(&value)),
    })
}
